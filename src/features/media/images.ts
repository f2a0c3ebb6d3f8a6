/** The ImageMaker on the pool of workers: jobs out, failures by their names back. */
import { type AppError, unavailable, unsupportedMediaType, validationFailed } from '../../errors.ts'
import type { ImageJob, ImageResults } from './image-job.ts'
import type { ImagePool } from './image-pool.ts'
import type { ImageMaker } from './making.ts'
import { sniffFile } from './sniff.ts'

export function createImageMaker(pool: ImagePool): ImageMaker {
  /** @param field what the caller knows the image by */
  async function run<Job extends ImageJob>(job: Job, field: string): Promise<ImageResults[Job['do']]> {
    const answer = await pool.run(job)
    if ('done' in answer) return answer.done as ImageResults[Job['do']]
    throw explain(answer, field)
  }

  return {
    make: (path, options) => run({ do: 'make', path, options }, 'file'),
    makePoster: (path) => run({ do: 'poster', path }, 'file'),
    async makeAvatar(path) {
      const { image } = await sniffFile(path)
      if (!image) throw unsupportedMediaType('a JPEG, PNG, WebP or GIF image')
      return run({ do: 'avatar', path }, 'avatar')
    },
    close: pool.close,
  }
}

function explain(answer: Exclude<Awaited<ReturnType<ImagePool['run']>>, { done: unknown }>, field: string): AppError {
  if ('refused' in answer) return validationFailed({ [field]: answer.refused })
  if ('failed' in answer) return unavailable('The image cannot be stored now; try again later', 60)
  // It took the decoder with it, or all the time or memory that there is for one.
  return validationFailed({
    [field]: `cannot be decoded: it ${answer.died === 'crashed' ? 'is damaged' : answer.died}`,
  })
}
