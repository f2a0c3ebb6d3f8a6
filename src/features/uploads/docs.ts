/** What Elysia cannot tell of bodies that it does not read. */
import { MAX_FILES, UploadFields } from './model.ts'
import { TUS_BODY } from './tus.ts'

export const FORM_DOCS = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object' as const,
        required: ['chat_id', 'file'],
        properties: {
          ...UploadFields.properties,
          file: {
            type: 'array' as const,
            minItems: 1,
            maxItems: MAX_FILES,
            items: { type: 'string' as const, format: 'binary' },
            description: 'One part named `file` for each',
          },
        },
      },
    },
  },
}

export const PIECE_DOCS = {
  required: true,
  content: { [TUS_BODY]: { schema: { type: 'string' as const, format: 'binary' } } },
}
