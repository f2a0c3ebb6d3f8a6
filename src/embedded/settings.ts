import { totalmem } from 'node:os'

const MiB = 1024 * 1024

/**
 * PostgreSQL's settings, as command-line arguments: these win over every configuration file, so that a file left in
 * the data directory can neither open a port nor switch durability off.
 */
export function serverArguments(options: { socketDirectory: string; port: number; maxConnections: number }): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '',
    unix_socket_directories: options.socketDirectory,
    unix_socket_permissions: '0700',
    port: options.port,
    max_connections: options.maxConnections,
    cluster_name: 'messenger',

    // Acknowledged means committed, through a power cut too.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',

    shared_buffers: `${sharedBuffersMiB(availableMemoryBytes())}MB`,
    huge_pages: 'try',
    autovacuum: 'on',
    // Pages are written whole after each checkpoint; small disks are slower than the processor.
    wal_compression: 'on',
    // Our statements are short: compiling one, or starting workers for it, costs more than it saves. Without workers
    // the 64 MB of shared memory that containers get suffice, too.
    jit: 'off',
    max_parallel_workers_per_gather: 0,
    // What need not wait for the disk (read marks that sending implies, the index of search) goes there with the next message.
    // Where none comes, within 6 s; written five times a second, it is what a message's own commit waits behind.
    wal_writer_delay: '2s',
    // Nobody replicates from a private socket: less to write, one process less.
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_logical_replication_workers: 0,

    timezone: 'UTC',
    log_timezone: 'UTC',
    // Read by our log: the SQLSTATE, then the severity in English.
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '%e ',
    lc_messages: 'C',
    // Statements and key values are what users wrote; they stay out of logs.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** An eighth of the memory, from 16 to 128 MiB: beyond that the system's own file cache serves a small server as well. */
const sharedBuffersMiB = (memoryBytes: number): number => Math.max(16, Math.min(128, Math.floor(memoryBytes / 8 / MiB)))

/** What a container may use, where it is limited. */
function availableMemoryBytes(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
