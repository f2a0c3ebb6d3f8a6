/**
 * The archive of the web client that the compiled binary carries: its path. Run from source there is none, and the first
 * request makes one; the build (deploy/build.ts) puts another module in this one's place.
 */
export const carriedWeb: string | undefined = undefined
