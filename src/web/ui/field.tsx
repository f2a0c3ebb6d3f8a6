import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import { t } from '../i18n/language.ts'
import { IconButton } from './button.tsx'
import { Icon } from './icon.tsx'

interface FieldProps {
  type?: 'text' | 'tel' | 'email' | 'password'
  name?: string
  /** What a password manager knows it by (HTML, "autofill field"). */
  autocomplete?: string
  inputMode?: 'tel'
  placeholder?: string
  maxLength?: number
  isLeftToRight?: boolean
  label: string
  value: string
  onInput(value: string): void
  hint?: string
  /** What is wrong with it. */
  error?: string
  /** Several lines. */
  isLong?: boolean
  /** It is what one came to fill in. */
  hasFocus?: boolean
}

/** A labelled field: its hint and its fault are read with it. */
export function Field(props: FieldProps) {
  const { label, value, onInput, hint, error, isLong, type = 'text', isLeftToRight, hasFocus, ...rest } = props
  const id = useId()
  const isShown = useSignal(false)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (hasFocus) box.current?.querySelector<HTMLElement>('.input')?.focus()
  }, [hasFocus])
  const isPassword = type === 'password'
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(' ') || undefined
  const common = {
    id,
    class: 'input',
    value,
    'aria-invalid': error !== undefined,
    'aria-describedby': described,
    dir: isLeftToRight || type !== 'text' ? ('ltr' as const) : ('auto' as const),
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {/* What runs from left to right in any language has its button at its end. */}
      <div ref={box} class="field-box" dir={common.dir === 'ltr' ? 'ltr' : undefined}>
        {isLong ? (
          <textarea
            {...common}
            maxLength={rest.maxLength}
            placeholder={rest.placeholder}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        ) : (
          <input
            {...rest}
            {...common}
            // Typed by one of its values: what else a field may have is the same for all of them.
            type={(isPassword && isShown.value ? 'text' : type) as 'text'}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        )}
        {isPassword && (
          <span class="in-field">
            <IconButton
              icon={isShown.value ? 'eyeOff' : 'eye'}
              label={isShown.value ? t().hidePassword : t().showPassword}
              aria-pressed={isShown.value}
              onClick={() => {
                isShown.value = !isShown.value
              }}
            />
          </span>
        )}
      </div>
      {hint && !error && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`} role="alert">
          <Icon name="alert" size={16} />
          <span>{error}</span>
        </p>
      )}
    </div>
  )
}

interface SearchBoxProps {
  label: string
  value: string
  placeholder?: string
  hasFocus?: boolean
  onInput(value: string): void
  onKeyDown?(event: KeyboardEvent): void
}

export function SearchBox({ label, value, placeholder, hasFocus, onInput, onKeyDown }: SearchBoxProps) {
  return (
    <div class="search-box">
      <Icon name="search" />
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder ?? label}
        value={value}
        maxLength={256}
        autocomplete="off"
        ref={(input) => {
          if (hasFocus && input && !input.dataset.met) {
            input.dataset.met = 'yes'
            input.focus()
          }
        }}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
    </div>
  )
}
