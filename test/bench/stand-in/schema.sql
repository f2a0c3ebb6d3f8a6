-- The tables of the stand-in. No foreign keys on messages: the product has none either, and they would slow it down.
create table users (
  id uuid primary key,
  username text not null unique
);
create table chats (
  id uuid primary key,
  last_seq bigint not null default 0
);
create table chat_members (
  chat_id uuid not null references chats (id),
  user_id uuid not null references users (id),
  primary key (chat_id, user_id)
);
create index on chat_members (user_id);
create table messages (
  id bigserial primary key,
  chat_id uuid not null,
  sender_id uuid not null,
  content text not null,
  seq bigint,
  client_id text,
  created_at timestamptz not null default now()
);
create index on messages (chat_id, id);
