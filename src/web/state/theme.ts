/** Light, dark, or as the system has it. */
import { signal } from '@preact/signals'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'theme'
const isTheme = (value: string | null): value is Theme => THEMES.some((theme) => theme === value)
const stored = localStorage.getItem(KEY)

export const theme = signal<Theme>(isTheme(stored) ? stored : 'system')

export function applyTheme(): void {
  const { dataset } = document.documentElement
  if (theme.value === 'system') delete dataset.theme
  else dataset.theme = theme.value
}

export function setTheme(next: Theme): void {
  theme.value = next
  localStorage.setItem(KEY, next)
  applyTheme()
}
