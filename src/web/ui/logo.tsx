/** The mark of this messenger; the icons are drawn from the same lines (icons/icon.svg). */
export function Logo({ size }: { size: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 512 512" aria-hidden="true">
      <rect width="512" height="512" rx="116" fill="#0b6b5d" />
      <path
        d="M256 112c-92 0-160 58-160 134 0 44 23 82 60 107-2 19-10 37-24 52-4 4-1 11 5 10 34-4 62-17 83-35 12 2 24 4 36 4 92 0 160-60 160-138S348 112 256 112z"
        fill="#fff"
      />
      <path
        d="M166 250l38-38 38 42 42-54 62 74"
        fill="none"
        stroke="#0b6b5d"
        stroke-width="26"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  )
}
