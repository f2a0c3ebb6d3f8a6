/** /messages/upload */
import { Elysia } from 'elysia'
import { failures } from '../../http/failures.ts'
import { patiently } from '../../http/steady-body.ts'
import type { Guard } from '../auth/guard.ts'
import { FORM_DOCS } from './docs.ts'
import { Uploaded } from './model.ts'
import type { Uploads } from './service.ts'

export const uploadRoutes = ({ guard, uploads }: { guard: Guard; uploads: Uploads }) =>
  new Elysia()
    .use(guard)
    .post(
      '/messages/upload',
      ({ userId, request, server, status }) =>
        patiently(server, request, uploads.upload(userId, request)).then((uploaded) => status(201, uploaded)),
      {
        streams: true,
        response: { 201: Uploaded, ...failures(400, 401, 403, 404, 408, 413, 429, 507) },
        detail: {
          tags: ['Media'],
          summary: 'Send a photo, a video, a voice note, any file, or an album',
          description:
            'A message appears when its file is safe, and not before. Up to 10 files become one message each, in their order; ' +
            'the caption and the reply belong to the first. What a file is is found by its content. With a `client_id` it is ' +
            'safe to repeat: the n-th file of an album has the key `{client_id}#n`. Fields may come in any order; with ' +
            '`chat_id` and `client_id` before the files a refusal comes before they are sent. Large files over a bad line: ' +
            '`POST /uploads`.',
          requestBody: FORM_DOCS,
        },
      },
    )
