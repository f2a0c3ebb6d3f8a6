import type { ButtonHTMLAttributes, ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.tsx'

type NativeProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'class' | 'icon' | 'size'>

interface ButtonProps extends NativeProps {
  kind?: 'plain' | 'primary' | 'quiet' | 'danger'
  isSmall?: boolean
  isWide?: boolean
  /** Something is under way: it cannot be pressed again. */
  isBusy?: boolean
  icon?: IconName
  children?: ComponentChildren
}

export function Button({ kind = 'plain', isSmall, isWide, isBusy, icon, children, ...rest }: ButtonProps) {
  const classes = ['button', kind, isSmall && 'small', isWide && 'wide'].filter(Boolean).join(' ')
  // A disabled button would lose the focus, and whoever uses keys their place.
  const busy = isBusy && {
    'aria-busy': true,
    'aria-disabled': true,
    onClick: (event: MouseEvent) => event.preventDefault(),
  }
  return (
    <button type="button" {...rest} {...busy} class={classes}>
      {isBusy ? <span class="spinner" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

interface IconButtonProps extends NativeProps {
  icon: IconName
  label: string
  size?: number
  isAccent?: boolean
  isFilled?: boolean
  isOnlyNarrow?: boolean
  children?: ComponentChildren
}

/** A button that is only a picture: its label is read and shown as a tip. */
export function IconButton(props: IconButtonProps) {
  const { icon, label, size = 22, isAccent, isFilled, isOnlyNarrow, children, ...rest } = props
  const classes = ['icon-button', isAccent && 'accent', isFilled && 'filled', isOnlyNarrow && 'only-narrow']
  return (
    <button type="button" {...rest} class={classes.filter(Boolean).join(' ')} aria-label={label} title={label}>
      <Icon name={icon} size={size} />
      {children}
    </button>
  )
}
