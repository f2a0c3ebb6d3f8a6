/** What a square shows of a picture, in pixels of the picture: no DOM, no screen. */

export interface Size {
  width: number
  height: number
}
/** From 1, where the square is as large as the picture allows, to `mostZoom`; `x` and `y` are its middle. */
export interface Cut {
  zoom: number
  x: number
  y: number
}
/** A place in the square, from 0 to 1 across and down. */
export interface Place {
  x: number
  y: number
}

const MOST_ZOOM = 5
/** A cut of fewer pixels would be a smudge. */
const LEAST_SIDE = 96

const between = (least: number, value: number, most: number) => Math.min(most, Math.max(least, value))

/** How far one can go into a picture before too little of it is left; 1 for a small one. */
export const mostZoom = ({ width, height }: Size): number => between(1, Math.min(width, height) / LEAST_SIDE, MOST_ZOOM)

/** Of the square in the picture. */
export const sideOf = ({ width, height }: Size, { zoom }: Pick<Cut, 'zoom'>): number => Math.min(width, height) / zoom

/** The nearest cut that has picture everywhere. */
export function held(size: Size, cut: Cut): Cut {
  const zoom = between(1, cut.zoom, mostZoom(size))
  const half = sideOf(size, { zoom }) / 2
  return { zoom, x: between(half, cut.x, size.width - half), y: between(half, cut.y, size.height - half) }
}

/** All that a square can show, from the middle. */
export const wholeCut = (size: Size): Cut => ({ zoom: 1, x: size.width / 2, y: size.height / 2 })

/** The picture follows a finger. @param by in sides of the square, to the right and down */
export function dragged(size: Size, cut: Cut, by: Place): Cut {
  const side = sideOf(size, cut)
  return held(size, { ...cut, x: cut.x - by.x * side, y: cut.y - by.y * side })
}

/** Nearer or further; what is at `place` stays there, as far as the edges let it. */
export function zoomed(size: Size, cut: Cut, zoom: number, place: Place = { x: 0.5, y: 0.5 }): Cut {
  const next = between(1, zoom, mostZoom(size))
  const grown = sideOf(size, cut) - sideOf(size, { zoom: next })
  return held(size, { zoom: next, x: cut.x + (place.x - 0.5) * grown, y: cut.y + (place.y - 0.5) * grown })
}

/** The square's corner and side in the picture. */
export function areaOf(size: Size, cut: Cut): { x: number; y: number; side: number } {
  const side = sideOf(size, cut)
  return { x: cut.x - side / 2, y: cut.y - side / 2, side }
}

/** Where between its ends the square stands, from 0 to 1; in the middle where it cannot be moved. */
export function standing(size: Size, cut: Cut): Place {
  const { x, y, side } = areaOf(size, cut)
  const share = (at: number, room: number) => (room < 0.5 ? 0.5 : at / room)
  return { x: share(x, size.width - side), y: share(y, size.height - side) }
}
