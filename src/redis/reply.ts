/** What Redis answers (RESP 2). */
export type RedisReply = string | number | null | RedisReply[]
