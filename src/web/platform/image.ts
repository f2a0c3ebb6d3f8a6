/** Pictures, measured and made smaller here before they travel. Their orientation is taken from themselves. */

const QUALITY = 0.9
/** The server keeps no more (premium), so more need not travel. */
const MAX_SIDE = 1280
/** They move, or may lose by another coding: they go as they are. */
const AS_IS = new Set(['image/gif', 'image/svg+xml'])

function canvasOf(width: number, height: number) {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser draws nothing')
  return { canvas, context }
}

/** A picture to be looked at and cut, no larger than `maxSide`. @throws DOMException when this browser reads none in it */
export async function readPicture(file: Blob, maxSide: number): Promise<ImageBitmap> {
  const bitmap = await createImageBitmap(file)
  const scale = maxSide / Math.max(bitmap.width, bitmap.height)
  if (scale >= 1) return bitmap
  const [resizeWidth, resizeHeight] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)))
  const small = await createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: 'high' })
  bitmap.close()
  return small
}

/** A square within a picture, in its pixels. */
export interface Area {
  x: number
  y: number
  side: number
}

function draw(context: CanvasRenderingContext2D, picture: ImageBitmap, { x, y, side }: Area, px: number): void {
  // What is transparent would be black in a JPEG.
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, px, px)
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, x, y, side, side, 0, 0, px, px)
}

/** Onto all of a canvas, as sharp as the screen is. */
export function drawSquare(canvas: HTMLCanvasElement, picture: ImageBitmap, area: Area): void {
  const px = Math.round(canvas.clientWidth * devicePixelRatio)
  if (canvas.width !== px) canvas.width = canvas.height = px
  const context = canvas.getContext('2d')
  if (context) draw(context, picture, area, px)
}

/** A data URL of what is in the area, `most` pixels wide or as many as there are. */
export function squareOf(picture: ImageBitmap, area: Area, most: number): string {
  const px = Math.max(1, Math.min(most, Math.round(area.side)))
  const { canvas, context } = canvasOf(px, px)
  draw(context, picture, area, px)
  return canvas.toDataURL('image/jpeg', QUALITY)
}

export interface Shrunk {
  file: Blob
  width: number
  height: number
}

/** The same picture, no larger than it will be kept; undefined for what this browser cannot read. */
export async function shrink(file: Blob): Promise<Shrunk | undefined> {
  const bitmap = await createImageBitmap(file).catch(() => undefined)
  if (!bitmap) return undefined
  const { width, height } = bitmap
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height))
  if (scale === 1 || AS_IS.has(file.type)) {
    bitmap.close()
    return { file, width, height }
  }
  const { canvas, context } = canvasOf(Math.round(width * scale), Math.round(height * scale))
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  // What may be transparent stays so.
  const type = file.type === 'image/jpeg' ? 'image/jpeg' : 'image/webp'
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY))
  const isSmaller = blob !== null && blob.size < file.size
  return { file: isSmaller ? blob : file, width: canvas.width, height: canvas.height }
}
