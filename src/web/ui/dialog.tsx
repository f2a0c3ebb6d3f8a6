import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { t } from '../i18n/language.ts'
import { Button, IconButton } from './button.tsx'

interface DialogProps {
  title: string
  onClose(): void
  children: ComponentChildren
  actions?: ComponentChildren
  /** It is a form: Enter in a field does this, and so does its submitting button. */
  onSubmit?(): void
}

/** A modal dialog: the browser keeps the focus in it and gives it back, Escape closes it. */
export function Dialog({ title, onClose, children, actions, onSubmit }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null)
  // Whoever selects text may let go of it outside: that is no click there.
  const isPressedOutside = useRef(false)
  const id = useId()
  // Before any effect of what is in it, which may want the focus.
  useLayoutEffect(() => {
    const { current } = box
    current?.showModal()
    // What is only taken away gives no focus back.
    return () => current?.close()
  }, [])
  const content = (
    <>
      <div class="dialog-body">{children}</div>
      {actions && <div class="dialog-actions">{actions}</div>}
    </>
  )
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does it, by `cancel`
    <dialog
      ref={box}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onPointerDown={(event) => {
        isPressedOutside.current = event.target === box.current
      }}
      onClick={(event) => {
        if (event.target === box.current && isPressedOutside.current) onClose()
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label={t().close} onClick={onClose} />
      </div>
      {onSubmit ? (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            onSubmit()
          }}
        >
          {content}
        </form>
      ) : (
        content
      )}
    </dialog>
  )
}

interface Question {
  text: string
  action: string
  isDangerous: boolean
  answer(isYes: boolean): void
}
const question = signal<Question | undefined>(undefined)

/** Asks before something that cannot be undone. */
export function ask(text: string, action: string, { isDangerous = true } = {}): Promise<boolean> {
  question.value?.answer(false)
  return new Promise((resolve) => {
    question.value = {
      text,
      action,
      isDangerous,
      answer(isYes) {
        question.value = undefined
        resolve(isYes)
      },
    }
  })
}

/** Where `ask` asks; once in the page. */
export function Asking() {
  const asked = question.value
  if (!asked) return null
  const actions = (
    <>
      <Button kind="quiet" onClick={() => asked.answer(false)}>
        {t().cancel}
      </Button>
      <Button kind={asked.isDangerous ? 'danger' : 'primary'} onClick={() => asked.answer(true)}>
        {asked.action}
      </Button>
    </>
  )
  return (
    <Dialog title={asked.action} onClose={() => asked.answer(false)} actions={actions}>
      <p dir="auto">{asked.text}</p>
    </Dialog>
  )
}
