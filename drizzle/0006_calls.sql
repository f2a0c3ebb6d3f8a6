CREATE TYPE "public"."call_media" AS ENUM('audio', 'video');--> statement-breakpoint
CREATE TYPE "public"."call_outcome" AS ENUM('completed', 'missed', 'declined', 'busy', 'cancelled', 'failed');--> statement-breakpoint
CREATE TYPE "public"."call_state" AS ENUM('ringing', 'active', 'ended');--> statement-breakpoint
CREATE TABLE "calls" (
	"id" uuid PRIMARY KEY NOT NULL,
	"chat_id" uuid NOT NULL,
	"message_id" uuid NOT NULL,
	"caller_id" uuid NOT NULL,
	"callee_id" uuid NOT NULL,
	"media" "call_media" NOT NULL,
	"state" "call_state" NOT NULL,
	"outcome" "call_outcome",
	"created_at" timestamp (3) with time zone NOT NULL,
	"ring_until" timestamp (3) with time zone NOT NULL,
	"answered_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"caller_device" uuid NOT NULL,
	"caller_session" uuid NOT NULL,
	"caller_until" timestamp (3) with time zone NOT NULL,
	"callee_device" uuid,
	"callee_session" uuid,
	"callee_until" timestamp (3) with time zone,
	"is_recorded" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."chats"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_caller_id_users_id_fk" FOREIGN KEY ("caller_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_callee_id_users_id_fk" FOREIGN KEY ("callee_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "idx_calls_caller" ON "calls" USING btree ("caller_id") WHERE state <> 'ended';--> statement-breakpoint
CREATE UNIQUE INDEX "idx_calls_callee" ON "calls" USING btree ("callee_id") WHERE state <> 'ended';--> statement-breakpoint
CREATE INDEX "idx_calls_unrecorded" ON "calls" USING btree ("ended_at") WHERE state = 'ended' and not is_recorded;--> statement-breakpoint
CREATE INDEX "idx_calls_recorded" ON "calls" USING btree ("ended_at") WHERE is_recorded;