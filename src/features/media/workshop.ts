/** Whoever makes files, together: images in processes of their own, videos and sounds by ffmpeg if it is there. */
import type { Config } from '../../config.ts'
import { createFfmpeg, type FfmpegPaths } from './ffmpeg.ts'
import { createFilms, type Films } from './films.ts'
import { createImagePool } from './image-pool.ts'
import { createImageMaker } from './images.ts'
import { createMediaMaker } from './maker.ts'
import type { ImageMaker, MediaMaker } from './making.ts'

export interface Workshop {
  images: ImageMaker
  /** Undefined without ffmpeg. */
  films: Films | undefined
  maker: MediaMaker
}

export function createWorkshop(options: {
  ffmpeg: FfmpegPaths | undefined
  config: Pick<Config, 'IMAGE_FORMAT' | 'DATA_DIR'>
}): Workshop {
  const images = createImageMaker(createImagePool({ dataDir: options.config.DATA_DIR }))
  const films = options.ffmpeg && createFilms({ ffmpeg: createFfmpeg(options.ffmpeg), images })
  return { images, films, maker: createMediaMaker({ images, films, imageFormat: options.config.IMAGE_FORMAT }) }
}
