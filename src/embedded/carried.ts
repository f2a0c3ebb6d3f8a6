/**
 * What the compiled binary carries inside, compressed: PostgreSQL, and the native half of sharp. Run from source, it
 * carries nothing and both come from their packages; the build (deploy/build.ts) puts another module in this one's place.
 */

/** A set of files. */
export interface Carried {
  /** Names the directory that they are unpacked into: other content has another one. */
  readonly version: string
  /** Where the compressed file lies: zstd over the contents of all files, one after the other. */
  readonly archive: string
  readonly files: readonly CarriedFile[]
}

export interface CarriedFile {
  /** Below the directory: `bin/postgres`. */
  readonly path: string
  readonly bytes: number
  /** Permissions, as in chmod. */
  readonly mode: number
  readonly sha256: string
}

/** A link in `lib` that a package registry cannot carry. */
export interface LibraryLink {
  readonly name: string
  readonly target: string
}

export const carriedPostgres: (Carried & { readonly links: readonly LibraryLink[] }) | undefined = undefined

export const carriedSharp: Carried | undefined = undefined
