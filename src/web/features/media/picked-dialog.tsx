import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { size } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { attempt } from '../../state/failures.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { endWanted } from '../conversation/history.tsx'
import { picked, sendFile } from './sending.ts'

/** A keyboard that comes up by itself would hide the photos. */
const IS_TOUCH = matchMedia('(pointer: coarse)')

/** A last look at what is about to be sent. */
export function PickedDialog({
  chatId,
  replyToId,
  onSent,
}: {
  chatId: string
  replyToId: string | null
  onSent(): void
}) {
  const caption = useSignal('')
  const files = picked.value
  if (files.length === 0) return null
  const close = () => {
    picked.value = []
    caption.value = ''
  }
  const send = async () => {
    const content = caption.value.trim()
    close()
    // One after the other, so that they stand in this order; the words and the reply belong to the first.
    for (const [index, file] of files.entries()) {
      await attempt(() => sendFile(chatId, file, index === 0 ? { content, replyToId } : {}))
    }
    onSent()
    endWanted.value++
  }
  return (
    <Dialog
      title={t().sendFiles(files.length)}
      onClose={close}
      onSubmit={send}
      actions={
        <>
          <Button kind="quiet" onClick={close}>
            {t().cancel}
          </Button>
          <Button kind="primary" type="submit" icon="send">
            {t().send}
          </Button>
        </>
      }
    >
      <ul class="picked">
        {files.map((file) => (
          <li key={`${file.name} ${file.size} ${file.lastModified}`}>
            <Thumbnail file={file} />
            <span class="row-text">
              <span class="file-name" dir="auto">
                {file.name}
              </span>
              <span class="file-size">{size(file.size)}</span>
            </span>
            <IconButton
              icon="close"
              label={t().removeWho(file.name)}
              onClick={() => {
                picked.value = files.filter((other) => other !== file)
              }}
            />
          </li>
        ))}
      </ul>
      <Field
        hasFocus={!IS_TOUCH.matches}
        label={t().caption}
        value={caption.value}
        maxLength={1024}
        onInput={(text) => {
          caption.value = text
        }}
      />
    </Dialog>
  )
}

function Thumbnail({ file }: { file: File }) {
  const isPicture = file.type.startsWith('image/') && file.type !== 'image/svg+xml'
  const url = useMemo(() => (isPicture ? URL.createObjectURL(file) : ''), [file, isPicture])
  useEffect(() => () => URL.revokeObjectURL(url), [url])
  if (url) return <img src={url} alt="" />
  return (
    <span class="file-icon">
      <Icon name="file" size={22} />
    </span>
  )
}
