/** Content-Disposition (RFC 6266): what a file is to be done with, and how it is called when it is saved. */

// Two characters that browsers treat differently within quotes, and the percent sign, which some decode.
const NOT_PLAIN = /[^ -~]|["\\%]/gu

/** @param fileName any text: nothing of it can end the header or begin another */
export function contentDisposition(kind: 'inline' | 'attachment', fileName: string): string {
  const name = fileName.toWellFormed()
  const plain = name.replace(NOT_PLAIN, '_')
  // RFC 8187: all but a few letters in percent signs.
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`
}
