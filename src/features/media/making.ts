/**
 * What a file that was sent becomes, and who makes it. All paths here are of this machine, in the folder for work. Whatever
 * is made of a file lies beside it, under names that begin with its own; of what failed nothing stays.
 */
import type { MediaKind } from './model.ts'

/** A file that has arrived, whole. */
export interface Arrived {
  path: string
  /** In bytes. */
  size: number
  /** Hexadecimal. */
  sha256: string
  /** As its sender calls it, made safe to show and to save: no path, no control characters. */
  fileName: string
}

/** What is kept of it. */
export interface Made {
  kind: MediaKind
  /** The file to keep: a new one, or (`compressed` is false then, or there is an `unmade`) the one that arrived. */
  path: string
  /** Without a dot: of the file as it is delivered. */
  extension: string
  /** Of the file as it is delivered. */
  mimeType: string
  /** Of the file at `path`, in bytes. */
  size: number
  /** A JPEG of 200 x 200. */
  thumbnailPath: string | null
  width: number | null
  height: number | null
  /** In seconds. */
  duration: number | null
  preview: string | null
  waveform: number[] | null
  compressed: boolean
  /**
   * Something to be made of it later, by the transcoding job: `path` is the original then, to be stored under its own key
   * with this extension (`media.original_path`), and the message begins as `processing`. Null: `path` is the file itself.
   */
  unmade: { extension: string } | null
}

/** What the sender's tier allows. */
export interface MakeOptions {
  /** In pixels. */
  imageMaxWidth: number
  /** In pixels, of a video's shorter side. */
  videoMaxHeight: number
}

export interface MediaMaker {
  /**
   * Finds by its content alone what a file is, and makes what is to be kept of it: of images at once, of video and audio
   * later. What is none of these is kept as it is, of kind `file`, with a type and an extension that nothing opens by itself.
   * The file at `arrived.path` stays.
   * @throws AppError 400 naming `file` for an image that is damaged or too large, 503 when too many wait
   */
  make(arrived: Arrived, options: MakeOptions): Promise<Made>
}

export interface ImageOptions {
  /** In pixels. */
  maxWidth: number
  /** webp, or original: JPEG and PNG stay what they are. */
  format: 'webp' | 'original'
}

/** An image and what goes with it. */
export interface MadeImage {
  path: string
  extension: 'webp' | 'jpg' | 'png'
  mimeType: string
  /** In bytes. */
  size: number
  thumbnailPath: string
  width: number
  height: number
  preview: string
}

export interface ImageMaker {
  /**
   * Another image of the same picture, without anything but its pixels; the file at `path` stays.
   * @throws AppError 400 naming `file`: damaged, or more pixels than the limit; 503 when too many wait
   */
  make(path: string, options: ImageOptions): Promise<MadeImage>
  /** A thumbnail and a preview alone, of a frame of a video. */
  makePoster(path: string): Promise<Pick<MadeImage, 'thumbnailPath' | 'preview'>>
  /**
   * A WebP within 512 x 512, which does not move. @returns its path
   * @throws AppError 400 naming `avatar`; 415 for what is no image; 503 when too many wait
   */
  makeAvatar(path: string): Promise<string>
  /** Ends what runs. */
  close(): Promise<void>
}
