/** A file of the client before it is compressed. */
export interface Made {
  /** From the root of the server. */
  path: string
  bytes: Uint8Array
}

/** Ten characters that change with the content. */
export const hashOf = (bytes: Uint8Array | string) => Bun.hash(bytes).toString(36).padStart(13, '0').slice(0, 10)
