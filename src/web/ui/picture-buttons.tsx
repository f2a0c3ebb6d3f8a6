import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { t } from '../i18n/language.ts'
import { squareOf } from '../platform/image.ts'
import { attempt } from '../state/failures.ts'
import { Button } from './button.tsx'

const AVATAR_PX = 512

interface PictureButtonsProps {
  hasPicture: boolean
  /** A square as a data URL, or none. */
  onPick(picture: string | null): Promise<unknown>
}

/** Changing and removing the picture of somebody or something. */
export function PictureButtons({ hasPicture, onPick }: PictureButtonsProps) {
  const isBusy = useSignal(false)
  const picker = useRef<HTMLInputElement>(null)
  const set = async (make: () => Promise<string | null>) => {
    isBusy.value = true
    await attempt(async () => onPick(await make()))
    isBusy.value = false
  }
  return (
    <div class="row-line">
      <Button isSmall kind="quiet" isBusy={isBusy.value} onClick={() => picker.current?.click()}>
        {t().changePhoto}
      </Button>
      {hasPicture && (
        <Button isSmall kind="danger" onClick={() => set(async () => null)}>
          {t().removePhoto}
        </Button>
      )}
      <input
        ref={picker}
        hidden
        type="file"
        accept="image/*"
        aria-label={t().changePhoto}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0]
          event.currentTarget.value = ''
          if (file) set(() => squareOf(file, AVATAR_PX))
        }}
      />
    </div>
  )
}
