/** Requests of web pages of other origins, by the CORS protocol (https://fetch.spec.whatwg.org/#http-cors-protocol). */
import { type CORSConfig, cors } from '@elysiajs/cors'
import { Elysia } from 'elysia'

/** Mount it before every route. Where no other page is allowed it costs nothing: the plugin takes part in every request. */
export const crossOrigin = (config: CORSConfig | undefined) => {
  const http = new Elysia({ name: 'cross-origin' })
  return config ? http.use(cors(config)) : http
}
