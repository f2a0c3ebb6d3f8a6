/** What the server and an image worker say to each other, one job at a time. */
import type { ImageOptions, MadeImage } from './making.ts'

export type ImageJob =
  | { do: 'make'; path: string; options: ImageOptions }
  | { do: 'poster'; path: string }
  | { do: 'avatar'; path: string }

export interface ImageResults {
  make: MadeImage
  poster: Pick<MadeImage, 'thumbnailPath' | 'preview'>
  avatar: string
}

/** `rss`: what the worker holds after the job, in bytes. */
export type ImageAnswer = { rss: number } & (
  | { done: ImageResults[keyof ImageResults] }
  /** Why, for whoever sent it: `is damaged`. */
  | { refused: string }
  /** What is wrong here, not with the image: the disk is full. */
  | { failed: string }
)
