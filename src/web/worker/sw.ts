/**
 * The service worker: the page starts without a network, from files that were kept. It knows files alone; messages are
 * the page's. A new version waits until every page of the old one is gone or one asks for it; the others keep their parts.
 */
declare const BUILD: { version: string; shell: string[] }
declare const self: ServiceWorkerGlobalScope

const CACHE = `shell-${BUILD.version}`

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(BUILD.shell)))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOld().then(() => self.clients.claim()))
})

/** But for the version before: pages of it may be open, and load its parts when they are used. */
async function forgetOld(): Promise<void> {
  // In the order they were made (Service Workers, `CacheStorage.keys()`).
  const others = (await caches.keys()).filter((name) => name.startsWith('shell-') && name !== CACHE)
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)))
}

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (request.mode === 'navigate' && pathname === '/') event.respondWith(page(request))
  // The name of an asset says what is in it.
  else if (pathname.startsWith('/assets/')) event.respondWith(asset(request))
})

/** The page of this very version: its scripts are the ones that are kept. */
async function page(request: Request): Promise<Response> {
  return (await caches.match('/', { cacheName: CACHE })) ?? fetch(request)
}

async function asset(request: Request): Promise<Response> {
  const kept = await caches.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) {
    const cache = await caches.open(CACHE)
    await cache.put(request, answer.clone())
  }
  return answer
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const address = `/#/?chat=${encodeURIComponent(event.notification.data.chatId)}`
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(async ([open]) => {
      if (open) {
        await open.focus()
        await open.navigate(address)
      } else await self.clients.openWindow(address)
    }),
  )
})

export {}
