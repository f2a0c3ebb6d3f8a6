-- Turns the table messages into one that is partitioned by the hash of chat_id; deploy/SCALING.md says when that pays, and
-- how to run this. It is one statement: all of it happens, or nothing. Nothing else may use the database meanwhile: stop
-- every instance first. It needs as much free disk as messages has (select pg_total_relation_size('messages')).
--
-- The number of partitions is the setting messenger.partitions, 16 by default:
--   PGOPTIONS='-c messenger.partitions=32' psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f partition-messages.sql
do $$
declare
  partitions constant int := coalesce(nullif(current_setting('messenger.partitions', true), ''), '16');
  whole constant regclass := 'messages';
  role_before constant text := current_setting('role');
  definitions text[];
  columns text;
  storage text;
  owner text;
  moved bigint;
  held bigint;
begin
  if partitions not between 2 and 256 then
    raise exception 'messenger.partitions must be from 2 to 256';
  end if;
  if (select relkind from pg_class where oid = whole) <> 'r' then
    raise exception 'messages is partitioned already';
  end if;
  -- What this does not know how to move must not get lost.
  if exists (select from pg_trigger where tgrelid = whole)
    or exists (select from pg_constraint where confrelid = whole or (conrelid = whole and contype not in ('p', 'u'))) then
    raise exception 'messages has triggers, foreign keys or checks: this script is of another version';
  end if;
  lock table messages in access exclusive mode;

  select pg_get_userbyid(relowner), coalesce('with (' || array_to_string(reloptions, ', ') || ')', '')
    into owner, storage from pg_class where oid = whole;
  select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute where attrelid = whole and attnum > 0 and not attisdropped and attgenerated = '';
  -- Under their own names, in the order in which they were made.
  select array_agg(definition order by id) into definitions from (
    select conindid as id,
      format('alter table messages add constraint %I %s', conname, pg_get_constraintdef(oid)) as definition
    from pg_constraint where conrelid = whole
    union all
    select indexrelid, pg_get_indexdef(indexrelid) from pg_index
    where indrelid = whole and indexrelid not in (select conindid from pg_constraint where conrelid = whole)
  ) made;

  -- The new tables belong to whom the old one belongs to.
  execute format('set local role %I', owner);
  alter table messages rename to messages_whole;
  create table messages (like messages_whole including defaults including generated including storage including comments)
    partition by hash (chat_id);
  for part in 0 .. partitions - 1 loop
    execute format('create table %I partition of messages for values with (modulus %s, remainder %s) %s',
      'messages_' || lpad(part::text, 3, '0'), partitions, part, storage);
  end loop;

  select count(*) into held from messages_whole;
  raise notice 'moving % messages into % partitions', held, partitions;
  execute format('insert into messages (%s) select %1$s from messages_whole', columns);
  get diagnostics moved = row_count;
  if moved <> held then
    raise exception '% messages of % were moved', moved, held;
  end if;
  drop table messages_whole;
  for index in 1 .. array_length(definitions, 1) loop
    raise notice '%', definitions[index];
    execute definitions[index];
  end loop;
  execute 'analyze messages';
  execute format('set local role %I', role_before);
end
$$;
