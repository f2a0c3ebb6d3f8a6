/** Pictures of what is being sent, from the files themselves: they are shown before the server has them. */

const urls = new Map<string, string>()
/** Kept so long after they were sent, until the server's own picture is there. */
const MOST = 40

export function keepLocal(clientId: string, file: Blob): void {
  urls.set(clientId, URL.createObjectURL(file))
  for (const [id, url] of urls) {
    if (urls.size <= MOST) break
    URL.revokeObjectURL(url)
    urls.delete(id)
  }
}

export const localUrlOf = (clientId: string): string | undefined => urls.get(clientId)
