/** What senders call their files, made safe to show and to save. */

// How browsers write these in a form (HTML, "multipart/form-data encoding algorithm").
const ESCAPED = /%(?:22|0D|0A)/gi
// Control characters, and what changes how the rest reads: `gpj.exe` may not look like `exe.jpg`. The two joiners stay, which
// emoji and some scripts are written with.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const JOINERS = /[\u200c\u200d]/
// Some systems keep no file of such a name.
const RESERVED = /[<>:"|?*]/g
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i
const MAX_BYTES = 255
const MAX_EXTENSION_BYTES = 32

/** At most 255 bytes in UTF-8, as file systems have it, without a path; what nothing is left of is `file`. */
export function safeFileName(name: string | undefined): string {
  const last = (name ?? '').toWellFormed().replace(ESCAPED, unescape).split(/[/\\]/).at(-1) ?? ''
  const visible = last.replace(INVISIBLE, (character) => (JOINERS.test(character) ? character : ''))
  const plain = visible.replace(RESERVED, '_').replace(/^[\s.]+|[\s.]+$/g, '')
  return shorten(plain.replace(DEVICE, '_$&')) || 'file'
}

/** Cut in the middle: the extension stays. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name
  const at = name.lastIndexOf('.')
  const isExtension = at > 0 && Buffer.byteLength(name.slice(at)) <= MAX_EXTENSION_BYTES
  const extension = isExtension ? name.slice(at) : ''
  const stem = isExtension ? name.slice(0, at) : name
  return `${cut(stem, MAX_BYTES - Buffer.byteLength(extension)).trimEnd()}${extension}`
}

function cut(text: string, maxBytes: number): string {
  const { written } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  return Buffer.from(text).subarray(0, written).toString()
}
