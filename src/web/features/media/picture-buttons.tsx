import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useRef } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { readPicture } from '../../platform/image.ts'
import { attempt, tellFailure } from '../../state/failures.ts'
import { Button } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'
import type { CropDialogProps } from './crop-dialog.tsx'

/** More than an avatar needs at its largest zoom; a phone has no memory for all of a photo of its own. */
const MAX_SIDE = 2560

interface PictureButtonsProps {
  hasPicture: boolean
  /** It is shown with corners. */
  isSquare?: boolean
  /** A square as a data URL, or none. */
  onPick(picture: string | null): Promise<unknown>
}

/** Changing and removing the picture of somebody or something. */
export function PictureButtons({ hasPicture, isSquare = false, onPick }: PictureButtonsProps) {
  const isBusy = useSignal(false)
  const chosen = useSignal<{ picture: ImageBitmap; Cropper: ComponentType<CropDialogProps> } | undefined>(undefined)
  const picker = useRef<HTMLInputElement>(null)
  const open = async (file: File) => {
    isBusy.value = true
    try {
      const [{ CropDialog }, picture] = await Promise.all([import('./crop-dialog.tsx'), readPicture(file, MAX_SIDE)])
      chosen.value = { picture, Cropper: CropDialog }
    } catch (error) {
      // The browser says so of what it cannot decode.
      if (error instanceof DOMException) toast(t().notPicture(file.name))
      else tellFailure(error)
    }
    isBusy.value = false
  }
  const close = () => {
    chosen.value?.picture.close()
    chosen.value = undefined
  }
  const { value } = chosen
  return (
    <div class="row-line">
      <Button isSmall kind="quiet" isBusy={isBusy.value} onClick={() => picker.current?.click()}>
        {hasPicture ? t().changePhoto : t().addPhoto}
      </Button>
      {hasPicture && (
        <Button isSmall kind="danger" onClick={() => attempt(() => onPick(null))}>
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
          if (file) open(file)
        }}
      />
      {value && (
        <value.Cropper
          picture={value.picture}
          isSquare={isSquare}
          onCut={(square) => attempt(() => onPick(square))}
          onClose={close}
        />
      )}
    </div>
  )
}
