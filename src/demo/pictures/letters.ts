/** Letters of lines, so that a drawing says the same on a machine without fonts. */
import { at, stroke } from './svg.ts'

/** On a grid of 4 by 6, from the top left. */
const LETTERS: Record<string, string> = {
  A: 'M0 6L2 0L4 6M.8 4H3.2',
  B: 'M0 0V6H2.4A1.6 1.6 0 0 0 2.4 2.8H0M2.2 2.8A1.4 1.4 0 0 0 2.2 0H0',
  C: 'M3.8 1.2A2.4 2.6 0 0 0 0 2.6V3.4A2.4 2.6 0 0 0 3.8 4.8',
  D: 'M0 0V6H1.6A2.4 3 0 0 0 1.6 0H0',
  E: 'M3.6 0H0V6H3.6M0 3H3',
  F: 'M3.6 0H0V6M0 3H3',
  G: 'M3.8 1.2A2.4 2.6 0 0 0 0 2.6V3.4A2.4 2.6 0 0 0 4 4.6V3.4H2.6',
  H: 'M0 0V6M4 0V6M0 3H4',
  I: 'M2 0V6',
  J: 'M3.4 0V4.2A1.7 1.8 0 0 1 0 4.4',
  K: 'M0 0V6M3.8 0L0 3.4M1.4 2.4L4 6',
  L: 'M0 0V6H3.6',
  M: 'M0 6V0L2 3.6L4 0V6',
  N: 'M0 6V0L4 6V0',
  O: 'M2 0A2 2.4 0 0 0 0 2.4V3.6A2 2.4 0 0 0 4 3.6V2.4A2 2.4 0 0 0 2 0',
  P: 'M0 6V0H2.4A1.7 1.7 0 0 1 2.4 3.4H0',
  R: 'M0 6V0H2.4A1.7 1.7 0 0 1 2.4 3.4H0M2 3.4L4 6',
  S: 'M3.7 1A2 1.6 0 0 0 .2 1.6C.2 3.4 3.8 2.6 3.8 4.4A2 1.6 0 0 1 .2 5',
  T: 'M0 0H4M2 0V6',
  U: 'M0 0V3.8A2 2.2 0 0 0 4 3.8V0',
  V: 'M0 0L2 6L4 0',
  W: 'M0 0L1 6L2 2.4L3 6L4 0',
  Y: 'M0 0L2 3.2L4 0M2 3.2V6',
  '0': 'M2 0A2 2.4 0 0 0 0 2.4V3.6A2 2.4 0 0 0 4 3.6V2.4A2 2.4 0 0 0 2 0',
  '1': 'M.8 1.2L2.2 0V6',
  '2': 'M.2 1.6A1.9 1.7 0 0 1 3.8 1.8C3.8 3.2 1.6 4.2 0 6H4',
  '3': 'M.3 0H3.8L1.8 2.4A1.9 1.8 0 1 1 .1 5',
  '4': 'M3 6V0L0 4.2H4',
  '5': 'M3.6 0H.6L.3 2.6A2 1.9 0 1 1 .1 5.2',
  '6': 'M3.4 .4A2.6 3.4 0 0 0 0 4A2 2 0 1 0 2 2.2',
  '7': 'M0 0H4L1.4 6',
  '8': 'M2 2.8A1.5 1.4 0 1 1 2 0A1.5 1.4 0 1 1 2 2.8A1.9 1.6 0 1 0 2 6A1.9 1.6 0 1 0 2 2.8',
  '9': 'M4 2A2 2 0 1 0 2 3.8M4 2C4 4 3 5.4 1.4 6',
  '.': 'M1.9 6H2.1',
  '-': 'M1 3.2H3',
}
const ADVANCE = 5.6

export interface Writing {
  x: number
  y: number
  /** Of a capital letter. */
  height: number
  color: string
  /** Of the line; a twelfth of the height without it. */
  weight?: number
  align?: 'start' | 'middle' | 'end'
}

/** Capital letters, digits, dots and dashes; `y` is the top. */
export function write(text: string, { x, y, height, color, weight = height / 12, align = 'start' }: Writing): string {
  const unit = height / 6
  const width = (text.length * ADVANCE - (ADVANCE - 4)) * unit
  const left = align === 'start' ? x : align === 'middle' ? x - width / 2 : x - width
  return [...text]
    .map((letter, index) => {
      const d = LETTERS[letter]
      if (d === undefined) return ''
      const place = `translate(${at(left + index * ADVANCE * unit)} ${at(y)}) scale(${unit.toFixed(3)})`
      return stroke(d, color, Number((weight / unit).toFixed(2)), { transform: place })
    })
    .join('')
}
