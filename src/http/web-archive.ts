/** The web client in one file: an index and, after it, every file in each coding it is served in. */

/** How a body is coded, by the names of RFC 9110, 8.4.1. */
export type Coding = 'br' | 'gzip' | 'identity'

export interface WebFile {
  /** From the root: `/assets/main-4fj2k1.js`. */
  path: string
  type: string
  /** Strong, with its quotes; each coding adds its own end to it. */
  etag: string
  /** Its name changes with its content. */
  isImmutable: boolean
  /** Where it lies after the index, and how long it is, in bytes. Without a coding that saves nothing. */
  bodies: Partial<Record<Coding, readonly [offset: number, length: number]>>
}

export interface WebArchive {
  files: ReadonlyMap<string, WebFile>
  body(file: WebFile, coding: Coding): Uint8Array<ArrayBuffer> | undefined
}

const LENGTH_BYTES = 4

/** The bytes of an archive. */
export function packWeb(files: readonly (Omit<WebFile, 'bodies'> & { bodies: Partial<Record<Coding, Uint8Array>> })[]) {
  const parts: Uint8Array[] = []
  let offset = 0
  const index = files.map(({ bodies, ...file }) => {
    const places = Object.entries(bodies).map(([coding, bytes]) => {
      parts.push(bytes)
      offset += bytes.length
      return [coding, [offset - bytes.length, bytes.length]]
    })
    return { ...file, bodies: Object.fromEntries(places) }
  })
  const head = Buffer.from(JSON.stringify(index))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(head.length)
  return Buffer.concat([length, head, ...parts])
}

/** All of it is held in memory: a few hundred KB. */
export function openWeb(bytes: Uint8Array<ArrayBuffer>): WebArchive {
  const headLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const start = LENGTH_BYTES + headLength
  const index = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, start))) as WebFile[]
  return {
    files: new Map(index.map((file) => [file.path, file])),
    body(file, coding) {
      const place = file.bodies[coding]
      return place && bytes.subarray(start + place[0], start + place[0] + place[1])
    },
  }
}
