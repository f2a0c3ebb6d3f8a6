/** Which part of a file a request asks for (RFC 9110, 14). */

/** From `start` up to, but not including, `end`; in bytes. */
export interface Part {
  start: number
  end: number
}

const SINGLE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i

/**
 * @param header the Range header
 * @returns undefined for the whole file: without a header, for several parts at once, and for what is no range of bytes, all
 * of which a server may ignore; `unsatisfiable` when nothing of the file lies in it
 */
export function readRange(header: string | null, size: number): Part | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = SINGLE.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}
