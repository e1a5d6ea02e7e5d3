/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/log.c - see log.h.  One buffer, one write(2): lines of different roles
 * that share a stderr never mix. */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

/* Longer values are cut: a line stays one atomic write to a pipe or file. */
#define LOG_LINE_MAX	16384
#define LOG_VALUE_MAX	1500

static struct {
	const char	*role;
	enum log_format	 format;
	enum log_level	 least;
	struct buf	 line;
} logger = { "sealane", LOG_LOGFMT, LOG_INFO,
    { NULL, 0, 0, 0, LOG_LINE_MAX, false } };

void
log_open(const char *role, enum log_format format)
{
	logger.role = role;
	logger.format = format;
}

void
log_set_level(enum log_level least)
{
	logger.least = least;
}

/* Length of the character at the start of s, 0 when there is none or a C1
 * control character. */
static size_t
utf8_len(struct span s)
{
	uint32_t code = 0;
	size_t n = utf8_take(s, &code);

	return code >= 0x80 && code < 0xa0 ? 0 : n;
}

static void
put_escaped(struct buf *b, struct span s, bool json)
{
	bool cut = s.n > LOG_VALUE_MAX;

	if (cut)
		s.n = LOG_VALUE_MAX;
	while (s.n > 0) {
		size_t n = utf8_len(s);
		unsigned char c = (unsigned char)s.p[0];

		if (n == 1 && (c == '"' || c == '\\'))
			buf_printf(b, "\\%c", c);
		else if (n == 0 || c < ' ' || c == 0x7f)
			buf_printf(b, json ? "\\u00%02x" : "\\x%02x", c);
		else
			buf_add(b, s.p, n);
		s = span_skip(s, n == 0 ? 1 : n);
	}
	if (cut)
		buf_str(b, "...");
}

static bool
word_is_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '"' ||
		    s.p[i] == '=' || s.p[i] == '\\')
			return false;
	return true;
}

static void
put_seconds(struct buf *b, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	buf_printf(b, "%lld.%03lld", (long long)(ms / 1000),
	    (long long)(ms % 1000));
}

static void
put_logfmt(struct buf *b, const struct kv *kv)
{
	buf_printf(b, " %s=", kv->key);
	switch (kv->kind) {
	case KV_NUMBER:
		buf_printf(b, "%lld", (long long)kv->number);
		return;
	case KV_SECONDS:
		put_seconds(b, kv->number);
		return;
	case KV_PATH:
		if (word_is_plain(kv->text)) {
			buf_char(b, '<');
			buf_span(b, span_head(kv->text, LOG_VALUE_MAX));
			buf_char(b, '>');
			return;
		}
		buf_str(b, "\"<");
		put_escaped(b, kv->text, false);
		buf_str(b, ">\"");
		return;
	case KV_WORD:
		if (kv->text.n == 0) {
			buf_char(b, '-');
			return;
		}
		if (word_is_plain(kv->text) && kv->text.n <= LOG_VALUE_MAX) {
			buf_span(b, kv->text);
			return;
		}
		break;
	case KV_TEXT:
		break;
	}
	buf_char(b, '"');
	put_escaped(b, kv->text, false);
	buf_char(b, '"');
}

static void
put_json(struct buf *b, const struct kv *kv)
{
	buf_printf(b, ",\"%s\":", kv->key);
	if (kv->kind == KV_NUMBER) {
		buf_printf(b, "%lld", (long long)kv->number);
	} else if (kv->kind == KV_SECONDS) {
		put_seconds(b, kv->number);
	} else {
		buf_char(b, '"');
		put_escaped(b, kv->text, true);
		buf_char(b, '"');
	}
}

static void
put_head(struct buf *b, const char *role, enum log_level level,
    const char *event)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char when[CLOCK_RFC3339_SIZE];

	clock_rfc3339(clock_wall_ms(), 1, when);
	if (logger.format == LOG_JSON) {
		buf_printf(b, "{\"time\":\"%s\",\"role\":\"%s\",\"event\":\"%s\","
		    "\"level\":\"%s\"", when, role, event,
		    names[level]);
		return;
	}
	buf_printf(b, "%s %s %s", when, role, event);
	if (level >= LOG_WARN)
		buf_printf(b, " level=%s", names[level]);
}

/* A log that cannot be written must not stop mail: a short write to a full
 * pipe or disk is given up. */
static void
put_out(struct span out)
{
	while (out.n > 0) {
		ssize_t w = write(STDERR_FILENO, out.p, out.n);

		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		out = span_skip(out, (size_t)w);
	}
}

void
log_event(enum log_level level, const char *event, const struct kv *kvs,
    size_t n)
{
	log_event_as(logger.role, level, event, kvs, n);
}

void
log_event_as(const char *role, enum log_level level, const char *event,
    const struct kv *kvs, size_t n)
{
	struct buf *b = &logger.line;
	bool json = logger.format == LOG_JSON;

	if (level < logger.least)
		return;
	buf_reset(b);
	put_head(b, role, level, event);
	for (size_t i = 0; i < n && !b->failed; i++)
		json ? put_json(b, &kvs[i]) : put_logfmt(b, &kvs[i]);
	if (b->failed) {		/* the bound, or memory: say the event at least */
		buf_reset(b);
		put_head(b, role, level, event);
		buf_str(b, json ? ",\"cut\":\"yes\"" : " cut=yes");
	}
	buf_str(b, json ? "}\n" : "\n");
	put_out(buf_get(b));
}

/* ---- in a signal handler ---- */

struct line {
	char	text[400];
	size_t	n;
};

static void
add_text(struct line *l, struct span s)
{
	for (size_t i = 0; i < s.n && l->n < sizeof l->text; i++)
		l->text[l->n++] = s.p[i];
}

static void
add_words(struct line *l, const char *a, const char *b, const char *c)
{
	add_text(l, span_str(a));
	add_text(l, span_str(b));
	add_text(l, span_str(c));
}

static void
add_number(struct line *l, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	add_text(l, span_of(digits + at, sizeof digits - at));
}

static void
add_kv(struct line *l, const struct kv *kv, bool json)
{
	bool quotes = json && kv->kind == KV_WORD;

	add_words(l, json ? ",\"" : " ", kv->key, json ? "\":" : "=");
	add_text(l, span_str(quotes ? "\"" : ""));
	if (kv->kind == KV_NUMBER)
		add_number(l, (uint64_t)kv->number);
	else
		add_text(l, kv->text);
	add_text(l, span_str(quotes ? "\"" : ""));
}

void
log_signal_event(const char *event, const struct kv *kvs, size_t n)
{
	bool json = logger.format == LOG_JSON;
	char when[CLOCK_RFC3339_SIZE];
	struct line l = { .n = 0 };

	clock_rfc3339(clock_wall_ms(), 1, when);
	if (json) {
		add_words(&l, "{\"time\":\"", when, "\",\"role\":\"");
		add_words(&l, logger.role, "\",\"event\":\"", event);
		add_text(&l, span_str("\",\"level\":\"error\""));
	} else {
		add_words(&l, when, " ", logger.role);
		add_words(&l, " ", event, " level=error");
	}
	for (size_t i = 0; i < n; i++)
		add_kv(&l, &kvs[i], json);
	add_text(&l, span_str(json ? "}\n" : "\n"));
	put_out(span_of(l.text, l.n));
}
