/** For routes that make their own `Response`. */

/** Of Elysia's context. */
export interface Settings {
  /** The headers that every answer has. */
  headers: Record<string, unknown>
}

/**
 * Elysia adds its headers to a `Response` by making another one of the body as a stream. That takes a file on the disk from
 * Bun, which sends it without reading it here, and lets the end of a broken stream pass for that of the file. So it is left
 * none to add: whoever takes them puts them in.
 */
export function takeHeaders(set: Settings): Record<string, string> {
  const taken = set.headers
  set.headers = {}
  // Texts and numbers, and of a number a header's value is its text.
  return taken as Record<string, string>
}
