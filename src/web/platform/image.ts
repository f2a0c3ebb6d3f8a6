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

/** The middle of a picture as a square, as a data URL. @throws when it is no picture that this browser reads */
export async function squareOf(file: Blob, side: number): Promise<string> {
  const bitmap = await createImageBitmap(file)
  const edge = Math.min(bitmap.width, bitmap.height)
  const { canvas, context } = canvasOf(Math.min(side, edge), Math.min(side, edge))
  const [x, y] = [(bitmap.width - edge) / 2, (bitmap.height - edge) / 2]
  context.drawImage(bitmap, x, y, edge, edge, 0, 0, canvas.width, canvas.height)
  bitmap.close()
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
