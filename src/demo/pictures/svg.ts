/** Small words for drawing: pictures are SVG, made of numbers that come out the same each time. */

/** Numbers from 0 up to 1, the same ones for the same seed: mulberry32, by Tommy Ettinger. */
export type Random = () => number

export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
/** Short numbers keep the drawings short. */
export const at = (value: number): string => String(Math.round(value * 10) / 10)

export type Attributes = Record<string, string | number>

export function tag(name: string, attributes: Attributes, inside = ''): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? at(value) : value}"`,
  )
  return `<${name}${written.join('')}>${inside}</${name}>`
}
export const rect = (x: number, y: number, width: number, height: number, fill: string, more: Attributes = {}) =>
  tag('rect', { x, y, width, height, fill, ...more })
export const circle = (cx: number, cy: number, r: number, fill: string, more: Attributes = {}) =>
  tag('circle', { cx, cy, r, fill, ...more })
export const ellipse = (cx: number, cy: number, rx: number, ry: number, fill: string, more: Attributes = {}) =>
  tag('ellipse', { cx, cy, rx, ry, fill, ...more })
export const path = (d: string, fill: string, more: Attributes = {}) => tag('path', { d, fill, ...more })
/** A line along a path. */
export const stroke = (d: string, color: string, width: number, more: Attributes = {}) =>
  path(d, 'none', {
    stroke: color,
    'stroke-width': String(width),
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    ...more,
  })
export const group = (attributes: Attributes, inside: string) => tag('g', attributes, inside)

/** From the top to the bottom, or from the left to the right. */
export const linear = (id: string, colors: readonly string[], { isAcross = false } = {}) =>
  tag('linearGradient', { id, x1: '0', y1: '0', x2: isAcross ? '1' : '0', y2: isAcross ? '0' : '1' }, stops(colors))
/** From the middle outwards. */
export const radial = (id: string, colors: readonly string[]) => tag('radialGradient', { id }, stops(colors))
/** `#rrggbb`, or `#rrggbb 0.5` for half of it. */
const stops = (colors: readonly string[]) =>
  colors
    .map((color, index) => {
      const [code = '', opacity = '1'] = color.split(' ')
      const offset = `${Math.round((100 * index) / Math.max(1, colors.length - 1))}%`
      return `<stop offset="${offset}" stop-color="${code}" stop-opacity="${opacity}"/>`
    })
    .join('')
export const blur = (id: string, amount: number) =>
  tag(
    'filter',
    { id, x: '-50%', y: '-50%', width: '200%', height: '200%' },
    `<feGaussianBlur stdDeviation="${amount}"/>`,
  )

export interface Picture {
  /** Pixels. */
  width: number
  height: number
  /** Gradients and filters by their ids. */
  defs?: string
  body: string
  /** Of a film: 0 for a clean drawing. */
  grain?: number
}

/** Drawings are thought of larger than the photos that are made of them. */
const SCALE = 0.8
export const pixelsOf = ({ width, height }: Picture) => ({
  width: Math.round(width * SCALE),
  height: Math.round(height * SCALE),
})

/** The whole of a drawing, but for its grain. */
export function toSvg(picture: Picture): string {
  const { width, height } = pixelsOf(picture)
  const box = `viewBox="0 0 ${picture.width} ${picture.height}"`
  const inside = `<defs>${picture.defs ?? ''}</defs>${picture.body}`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${box}>${inside}</svg>`
}

/** The line of a hill or a coast, from the left to the right: waves of growing number and falling height. */
export function skyline(
  random: Random,
  {
    width,
    y,
    height,
    steps = 160,
    detail = 6,
  }: { width: number; y: number; height: number; steps?: number; detail?: number },
): [x: number, y: number][] {
  const waves = times(detail, (n) => ({
    turns: (0.7 + random() * 0.9) * 1.9 ** n,
    phase: random() * 7,
    share: 0.56 ** n,
  }))
  const lift = (x: number) =>
    waves.reduce((sum, { turns, phase, share }) => sum + share * Math.sin(phase + (x / width) * turns * Math.PI * 2), 0)
  return times(steps + 1, (step) => {
    const x = (width * step) / steps
    return [x, y - (height * lift(x)) / 2]
  })
}

/** What lies below a line. */
export const below = (line: readonly [number, number][], bottom: number): string =>
  `M${line.map(([x, y]) => `${at(x)} ${at(y)}`).join('L')}L${at(line.at(-1)?.[0] ?? 0)} ${bottom}L0 ${bottom}Z`

/** A colour between two, `#rrggbb`; `share` 0 is the first. */
export function mix(from: string, to: string, share: number): string {
  const parts = (color: string) => [1, 3, 5].map((place) => Number.parseInt(color.slice(place, place + 2), 16))
  const target = parts(to)
  const mixed = parts(from).map((value, index) => Math.round(value + (Number(target[index]) - value) * share))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
