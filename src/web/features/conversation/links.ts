/** What a text holds: its links, which way it runs. */

// Up to a space or what cannot be in an address; the closing bracket of "(see https://...)" is looked at below.
const LINK = /\bhttps?:\/\/[^\s<>"'`]+|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/giu
const TRAILING = /[.,;:!?…»”’]+$/u

/** Ends of sentences and unpaired brackets are no part of an address. */
function trim(found: string): string {
  let address = found.replace(TRAILING, '')
  while (/[)\]]$/.test(address)) {
    const open = address.endsWith(')') ? '(' : '['
    const close = address.endsWith(')') ? ')' : ']'
    if (address.split(open).length >= address.split(close).length) break
    address = address.slice(0, -1).replace(TRAILING, '')
  }
  return address
}

/** An address as the browser takes it; undefined for any scheme but http, https and mailto. */
export function safeHref(found: string): string | undefined {
  const candidate = /^https?:/i.test(found) ? found : `mailto:${found}`
  if (!URL.canParse(candidate)) return undefined
  const { protocol, href } = new URL(candidate)
  return ['http:', 'https:', 'mailto:'].includes(protocol) ? href : undefined
}

export interface Piece {
  text: string
  href?: string
}

export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const address = trim(found)
    const href = safeHref(address)
    if (!href) continue
    if (index > at) pieces.push({ text: text.slice(at, index) })
    pieces.push({ text: address, href })
    at = index + address.length
  }
  if (at < text.length) pieces.push({ text: text.slice(at) })
  return pieces
}

const EMOJI = /^(?:\p{RGI_Emoji}){1,3}$/v
/** One to three emoji and nothing else. */
export const isOnlyEmoji = (text: string) => text.length <= 40 && EMOJI.test(text)

const FIRST_STRONG = /[\p{L}]/u
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u
/** Which way it runs: by its first letter, as `dir="auto"` has it. */
export const isRightToLeft = (text: string) => RIGHT_TO_LEFT.test(FIRST_STRONG.exec(text)?.[0] ?? '')
