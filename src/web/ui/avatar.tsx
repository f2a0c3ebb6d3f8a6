import { t } from '../i18n/language.ts'

interface AvatarProps {
  /** Gives the colour, always the same. */
  id: string
  name: string
  url?: string | null
  size?: number
  isOnline?: boolean
  isSquare?: boolean
}

/** Far enough from each other to tell two people apart, all dark enough for white letters. */
const HUES = [8, 28, 86, 140, 172, 200, 226, 262, 296, 332]

/** Of the colour wheel, from an id (FNV-1a). */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return HUES[(hash >>> 0) % HUES.length] ?? 0
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const firstOf = (word: string) => segmenter.segment(word)[Symbol.iterator]().next().value?.segment ?? ''

/** Of "my big group": MB. */
function initials(name: string): string {
  const words = name.split(/[\s_.-]+/).filter(Boolean)
  return words.slice(0, 2).map(firstOf).join('').toLocaleUpperCase()
}

/** Avatars are this server's, however it is called in their address. */
export const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : url)

export function Avatar({ id, name, url, size = 48, isOnline, isSquare }: AvatarProps) {
  // Reading a signal makes the bindings compare properties: its row changes with every message, and it does not.
  t()
  return (
    <span
      class={isSquare ? 'avatar square' : 'avatar'}
      style={{ '--size': `${size}px`, '--hue': String(hueOf(id)) }}
      aria-hidden="true"
    >
      {url ? (
        <img src={pathOf(url)} alt="" width={size} height={size} loading="lazy" decoding="async" />
      ) : (
        initials(name)
      )}
      {isOnline && <span class="online" />}
    </span>
  )
}
