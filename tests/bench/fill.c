/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/bench/fill.c - a spool with many messages in it, written by the spool's
 * own code without the way through SMTP.
 *
 *	load_fill DIRECTORY MESSAGES SIZE DOMAINS
 *
 * Each has one recipient, uN@dK.wait.example.org, is deferred for a day and
 * has a last answer of its domain's.  One of 16 senders. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/envelope.h"
#include "base/log.h"
#include "queue/spool.h"

#define TOGETHER	5000	/* commits on their way */

static struct {
	struct loop	*loop;
	struct spool	*spool;
	unsigned long	 messages, domains, at, durable;
	char		*body;
	size_t		 size;
	uint64_t	 now;
} fill;

static int
on_restore(void *ctx, struct span head, struct place place)
{
	(void)ctx, (void)head, (void)place;
	return -1;
}

static void
on_forget(void *ctx)
{
	(void)ctx;
}

static void
on_replay(void *ctx, enum record_type type, struct span payload,
    struct place place)
{
	(void)ctx, (void)type, (void)payload, (void)place;
}

static void
on_placed(void *ctx, struct span id, struct place place)
{
	(void)ctx, (void)id, (void)place;
}

static void
on_written(void *ctx, uint64_t a, uint64_t b)
{
	(void)ctx, (void)a, (void)b;
}

static const struct spool_ops ops = { on_restore, on_forget, on_replay,
    on_placed, on_written };

static void	more(void);

static void
on_commit(void *arg, const struct fault *f)
{
	(void)arg;
	if (f != NULL) {
		fprintf(stderr, "load_fill: %s\n", f->text);
		exit(1);
	}
	if (++fill.durable == fill.messages)
		loop_stop(fill.loop);
	else if (fill.durable == fill.at)
		more();
}

static void
put(unsigned long n)
{
	char id[ID_SIZE], rcpt[80], sender[80], reply[200], site[64];
	unsigned long domain = n % fill.domains;
	struct record_rcpt r = { .orcpt = SPAN_NONE };
	struct record_change c = { .state = RCPT_DEFERRED, .attempts = 3,
	    .next = fill.now + 86400000 };
	struct record_message m = { .arrived = fill.now - n % 3600000,
	    .size = fill.size, .client = SPAN_LIT("192.0.2.7"),
	    .session = SPAN_LIT("abcdefghijklmnop"), .envid = SPAN_NONE,
	    .nrcpts = 1, .body = span_of(fill.body, fill.size) };
	struct buf list, head;
	struct place place;
	struct fault f = { 0 };

	id_make(m.arrived, id);
	m.id = span_str(id);
	snprintf(sender, sizeof(sender), "news%lu@bulk.example.org", n % 16);
	m.sender = span_str(sender);
	snprintf(rcpt, sizeof(rcpt), "u%lu@d%lu.wait.example.org", n, domain);
	r.address = span_str(rcpt);
	snprintf(site, sizeof(site), "mx.d%lu.wait.example.org", domain);
	c.site = span_str(site);
	snprintf(reply, sizeof(reply), "%s[192.0.2.%lu]: connect to "
	    "192.0.2.%lu:25: Connection refused", site, domain % 250,
	    domain % 250);
	c.reply = span_str(reply);
	buf_init(&list, 4096);
	buf_init(&head, 8192);
	(void)record_put_rcpt(&list, &r, &c);
	m.rcpts = buf_get(&list);
	if (record_put_message(&head, &m) == -1 || spool_commit(fill.spool,
	    buf_get(&head), m.body, &place, on_commit, NULL, &f) == -1) {
		fprintf(stderr, "load_fill: %s\n", f.text);
		exit(1);
	}
	buf_free(&list);
	buf_free(&head);
}

static void
more(void)
{
	for (int i = 0; i < TOGETHER && fill.at < fill.messages; i++)
		put(fill.at++);
}

static void
begin(void *arg)
{
	(void)arg;
	more();
}

int
main(int argc, char **argv)
{
	struct loop_timer *timer;
	struct fault f = { 0 };

	if (argc != 5) {
		fprintf(stderr, "usage: load_fill directory messages size "
		    "domains\n");
		return 64;
	}
	fill.messages = strtoul(argv[2], NULL, 10);
	fill.size = strtoul(argv[3], NULL, 10);
	fill.domains = strtoul(argv[4], NULL, 10);
	fill.now = clock_wall_ms();
	fill.body = malloc(fill.size + 1);
	if (fill.messages == 0 || fill.domains == 0 || fill.body == NULL)
		return 64;
	memset(fill.body, 'x', fill.size);
	for (size_t i = 77; i < fill.size; i += 78)
		memcpy(fill.body + i - 1, "\r\n", 2);
	log_open("fill", LOG_LOGFMT);
	fill.loop = loop_new();
	fill.spool = spool_open(fill.loop, argv[1], NULL, &ops, NULL, &f);
	if (fill.spool == NULL) {
		fprintf(stderr, "load_fill: %s\n", f.text);
		return 1;
	}
	timer = loop_timer_new(fill.loop, begin, NULL);
	loop_timer_set(timer, 0);
	loop_run(fill.loop);
	loop_timer_close(&timer);
	spool_close(&fill.spool);
	loop_free(&fill.loop);
	free(fill.body);
	return 0;
}
