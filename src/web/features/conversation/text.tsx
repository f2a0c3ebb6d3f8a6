/** The text of a message: text, and links that can only lead to the web or to a mail. */
import type { ComponentChildren } from 'preact'
import { piecesOf } from './links.ts'

const isOurs = (href: string) => href.startsWith(`${location.origin}/#/`)

export function richText(text: string): ComponentChildren {
  return piecesOf(text).map((piece, index) => {
    if (!piece.href) return piece.text
    const away = isOurs(piece.href) ? {} : { target: '_blank', rel: 'noopener noreferrer nofollow' }
    return (
      <a key={index} href={piece.href} {...away} dir="auto">
        {piece.text}
      </a>
    )
  })
}
