/**
 * The same picture without an application: elements and styles of the page as it stands, and a loop that puts one more
 * message where the client would. What that costs is what the browser alone asks for it, on this machine, in this run.
 */
import type { Browser } from 'playwright-core'
import { gaugeOf, watch } from './gauge.ts'
import { EVERY_MS, type Seat } from './scenes.ts'

/** @returns milliseconds of CPU for one message */
export async function measureBare(browser: Browser, { page, machine }: Seat, count: number): Promise<number> {
  const { html, css } = await page.evaluate(async () => {
    const links = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')]
    const texts = await Promise.all(links.map(({ href }) => fetch(href).then((answer) => answer.text())))
    return { html: document.getElementById('app')?.innerHTML ?? '', css: texts.join('\n') }
  })
  const bare = await machine.newPage()
  await bare.addInitScript(watch)
  await bare.goto('about:blank')
  await bare.setContent(
    `<!doctype html><html lang="en"><style>${css}</style><body><div id="app">${html}</div></body></html>`,
  )
  await bare.locator('article.message').first().waitFor()
  const gauge = await gaugeOf(browser, bare)
  const { cpuMs } = await gauge.during(() =>
    bare.evaluate(
      async ([total, everyMs]) => {
        const find = (selector: string) => document.querySelector<HTMLElement>(selector)
        const [scroller, list, preview] = ['.history-scroll', '.history-list', '.chat-list .row-preview'].map(find)
        const model = [...document.querySelectorAll('.chunk > li')].at(-1)
        if (!scroller || !list || !preview || !model) throw new Error('no conversation')
        for (let n = 0; n < (total ?? 0); n++) {
          await new Promise((resolve) => setTimeout(resolve, everyMs))
          const text = `Number ${n}. ${'Some words of it. '.repeat(1 + ((n * 7) % 9))}`
          const row = model.cloneNode(true) as HTMLElement
          const bubble = row.querySelector('.bubble-text')
          if (bubble) bubble.textContent = text
          let chunk = list.lastElementChild as HTMLElement
          if (chunk.children.length >= 10) {
            chunk = list.appendChild(chunk.cloneNode(false) as HTMLElement)
            list.querySelector('.chunk')?.remove()
          }
          chunk.append(row)
          preview.textContent = text
          scroller.scrollTop = scroller.scrollHeight
        }
      },
      [count, EVERY_MS] as const,
    ),
  )
  await bare.close()
  return cpuMs / count
}
