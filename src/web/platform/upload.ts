/** Sends a form with a file by XMLHttpRequest: `fetch` does not tell how far an upload is. */
import type { Upload } from '../sync/ports.ts'

export const uploadByXhr: Upload = ({ url, token, fields, file, fileName, onProgress }) => {
  const request = new XMLHttpRequest()
  const done = new Promise<{ status: number; text: string }>((resolve, reject) => {
    const form = new FormData()
    for (const [name, value] of fields) form.append(name, value)
    form.append('file', file as Blob, fileName)
    request.open('POST', url)
    request.setRequestHeader('authorization', `Bearer ${token}`)
    request.upload.onprogress = ({ loaded, total }) => {
      // The form around the file counts too; at the end it is all of the file.
      const size = (file as Blob).size
      onProgress(loaded >= total ? size : Math.min(loaded, size - 1))
    }
    request.onload = () => resolve({ status: request.status, text: request.responseText })
    request.onerror = request.onabort = request.ontimeout = () => reject(new Error('No answer came'))
    request.send(form)
  })
  return { done, abort: () => request.abort() }
}
