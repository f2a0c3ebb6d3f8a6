/** What passes by: counted and hashed. */

export class Digest {
  bytes = 0
  /** Line feeds. */
  lines = 0
  private readonly hasher = new Bun.CryptoHasher('sha256')

  update(chunk: Uint8Array): void {
    this.bytes += chunk.length
    this.hasher.update(chunk)
  }

  countLines(chunk: Uint8Array): void {
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) this.lines++
  }

  /** SHA-256 in hexadecimal. Once. */
  hex(): string {
    return this.hasher.digest('hex')
  }
}

const LINE_FEED = 10
const BLOCK_BYTES = 64 * 1024

export async function* passing(source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    digest.update(chunk)
    yield chunk
  }
}

/** The same bytes in fewer, larger chunks: a row of a table is one, and each costs its way. */
export async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source) {
    waiting.push(chunk)
    bytes += chunk.length
    if (bytes < BLOCK_BYTES) continue
    yield Buffer.concat(waiting, bytes)
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes)
}

/** Lines without their line feeds; the last one needs none. */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
