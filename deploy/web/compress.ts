import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const MOST_SAVED = 0.95

/** As brotli and as gzip, each where it saves something worth the header. */
export async function compress(bytes: Uint8Array): Promise<{ br?: Uint8Array; gzip?: Uint8Array }> {
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
    promisify(gzip)(bytes, { level: 9 }),
  ])
  const isWorthIt = (pressed: Uint8Array) => pressed.length < bytes.length * MOST_SAVED
  return { ...(isWorthIt(br) && { br }), ...(isWorthIt(gz) && { gzip: gz }) }
}
