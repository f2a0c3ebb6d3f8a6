/** /avatars */
import { Elysia, t } from 'elysia'
import { failures } from '../../http/failures.ts'
import { answerFile } from '../../http/file-answer.ts'
import type { AvatarFiles } from './avatars.ts'

const FOR_EVER = 'public, max-age=31536000, immutable'

/** For everybody who has the URL, with a token or without; no limit counts these requests. */
export const avatarRoutes = ({ avatars }: { avatars: AvatarFiles }) =>
  new Elysia().get(
    '/avatars/:name',
    async ({ params, request, set }) => {
      const headers = { etag: `"${params.name}"`, 'cache-control': FOR_EVER, 'content-type': 'image/webp' }
      return answerFile({ request, set }, await avatars.open(params.name), headers, 'cross-origin')
    },
    {
      params: t.Object({ name: t.String({ examples: ['4pq9sGk2vB0n7XcR1mZyLw.webp'] }) }),
      response: { 200: t.Unknown({ type: 'string', format: 'binary' }), ...failures(400, 404, 416) },
      detail: {
        tags: ['Media'],
        summary: 'A picture of somebody, a group or a channel',
        description: 'Where `avatar_url` leads. It never changes: another picture has another name.',
      },
    },
  )
