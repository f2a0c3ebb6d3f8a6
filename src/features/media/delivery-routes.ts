/** /media */
import { Elysia, t } from 'elysia'
import { failures } from '../../http/failures.ts'
import { answerFile } from '../../http/file-answer.ts'
import type { Guard } from '../auth/guard.ts'
import type { Delivery } from './delivery.ts'
import { FilePath, LinkQuery, MediaLinks, MediaPaths } from './model.ts'

const tags = ['Media']
const OneFile = t.Object({ file_path: FilePath })
const File = t.Unknown({ type: 'string', format: 'binary' })

export interface DeliveryRoutesDeps {
  guard: Guard
  delivery: Delivery
  /** Which pages may show files. */
  resourcePolicy: 'same-origin' | 'cross-origin'
}

interface Asked {
  userId: string | undefined
  query: LinkQuery
  request: Request
  set: { headers: Record<string, unknown> }
}

export function deliveryRoutes({ guard, delivery, resourcePolicy }: DeliveryRoutesDeps) {
  const give = async ({ userId, query, request, set }: Asked, path: string) => {
    const { file, headers } = await delivery.open(userId, path, query)
    return answerFile({ request, set }, file, headers, resourcePolicy)
  }

  return new Elysia()
    .use(guard)
    .post('/media/links', ({ userId, body }) => delivery.sign(userId, body.paths), {
      signedIn: true,
      body: MediaPaths,
      response: { 200: MediaLinks, ...failures(400, 401, 413, 429) },
      detail: {
        tags,
        summary: 'Links to files',
        description:
          'For what cannot send a token, as an `<img>` or a player. Each is for the caller alone, for one to two hours, and ' +
          'stays the same for up to an hour. Whether the caller may still see the file is asked at every view.',
      },
    })
    .get('/media/:file_path', (asked) => give(asked, asked.params.file_path), {
      mayBeSignedIn: true,
      params: OneFile,
      query: LinkQuery,
      response: { 200: File, 206: File, ...failures(400, 401, 403, 404, 416) },
      detail: {
        tags,
        summary: 'A file of a message',
        description:
          'By a token, or by a link with `u`, `t` and `s`: for members of its chat, while the message is there. The slashes of ' +
          'the path may stand as they are or encoded. One part may be asked for by `Range`; the `ETag` is good for `If-None-Match` ' +
          '(304) and `If-Range`. What was not made here comes as an attachment. No limit counts these requests.',
      },
    })
    .get('/media/*', (asked) => give(asked, asked.params['*']), {
      mayBeSignedIn: true,
      query: LinkQuery,
      detail: { hide: true },
    })
}
