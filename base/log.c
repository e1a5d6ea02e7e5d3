/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/log.c - see log.h: what a line says, for each format and target.  One
 * buffer, one write(2): lines of different roles that share a stderr never
 * mix. */
#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log_out.h"
#include "base/utf8.h"

/* Longer values are cut: a line stays one atomic write to a pipe or file.  The
 * journal gets each value twice. */
#define LOG_LINE_MAX	16384
#define LOG_VALUE_MAX	1500

#define FACILITY_MAIL	2	/* RFC 5424 sec 6.2.1 */

static struct {
	const char	*role;
	enum log_format	 format;
	enum log_target	 target;
	enum log_level	 least;
	struct buf	 line;
} logger = { "sealane", LOG_LOGFMT, LOG_STDERR, LOG_INFO,
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

void
log_to(enum log_target target, int fd)
{
	logger.target = target;
	log_out_to(fd, target != LOG_STDERR);
}

/* Severities of RFC 5424 sec 6.2.1. */
static int
severity(enum log_level level)
{
	static const int values[] = { 7, 6, 4, 3 };

	return values[level];
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

enum place { IN_LOGFMT, IN_JSON, IN_FIELD };

static void
put_escaped(struct buf *b, struct span s, enum place place)
{
	bool cut = s.n > LOG_VALUE_MAX;

	if (cut)
		s.n = LOG_VALUE_MAX;
	while (s.n > 0) {
		size_t n = utf8_len(s);
		unsigned char c = (unsigned char)s.p[0];

		if (n == 1 && (c == '\\' || (c == '"' && place != IN_FIELD)))
			buf_printf(b, "\\%c", c);
		else if (n == 0 || c < ' ' || c == 0x7f)
			buf_printf(b, place == IN_JSON ? "\\u00%02x" :
			    "\\x%02x", c);
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
		put_escaped(b, kv->text, IN_LOGFMT);
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
	put_escaped(b, kv->text, IN_LOGFMT);
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
		put_escaped(b, kv->text, IN_JSON);
		buf_char(b, '"');
	}
}

/* ---- whole lines ---- */

static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* Syslog and the journal know when a line came, and from which role. */
static void
put_event(struct buf *b, const char *role, enum log_level level,
    const char *event)
{
	bool plain = logger.target == LOG_STDERR;
	char when[CLOCK_RFC3339_SIZE];

	clock_rfc3339(clock_wall_ms(), 1, when);
	if (logger.format == LOG_JSON) {
		buf_printf(b, "{\"time\":\"%s\",\"role\":\"%s\",\"event\":\"%s\","
		    "\"level\":\"%s\"", when, role, event,
		    level_names[level]);
		return;
	}
	if (plain)
		buf_printf(b, "%s %s ", when, role);
	buf_str(b, event);
	if (level >= LOG_WARN)
		buf_printf(b, " level=%s", level_names[level]);
}

/* A key as a field of its own, SEALANE_KEY. */
static void
put_field(struct buf *b, const struct kv *kv)
{
	buf_str(b, "SEALANE_");
	for (const char *c = kv->key; *c != '\0'; c++)
		buf_char(b, *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ?
		    (char)(*c - 'a' + 'A') : *c);
	buf_char(b, '=');
	if (kv->kind == KV_NUMBER)
		buf_printf(b, "%lld", (long long)kv->number);
	else if (kv->kind == KV_SECONDS)
		put_seconds(b, kv->number);
	else
		put_escaped(b, kv->text, IN_FIELD);
	buf_char(b, '\n');
}

/* What the target wants ahead of the line.  Of syslog's header the time is left
 * out: whoever receives the line knows it, and knows the zone (RFC 3164 sec
 * 4.3.2). */
static void
put_head(struct buf *b, const char *role, enum log_level level,
    const char *event, const struct kv *kvs, size_t n)
{
	if (logger.target == LOG_SYSLOG)
		buf_printf(b, "<%d>sealane/%s[%d]: ",
		    FACILITY_MAIL * 8 + severity(level), role, (int)getpid());
	if (logger.target != LOG_JOURNAL)
		return;
	buf_printf(b, "PRIORITY=%d\nSYSLOG_FACILITY=%d\n"
	    "SYSLOG_IDENTIFIER=sealane/%s\nSEALANE_ROLE=%s\n"
	    "SEALANE_EVENT=%s\n", severity(level), FACILITY_MAIL, role, role,
	    event);
	for (size_t i = 0; i < n; i++)
		put_field(b, &kvs[i]);
	buf_str(b, "MESSAGE=");
}

static void
put_line(const char *role, enum log_level level, const char *event,
    const struct kv *kvs, size_t n)
{
	struct buf *b = &logger.line;
	bool json = logger.format == LOG_JSON;

	buf_reset(b);
	put_head(b, role, level, event, kvs, n);
	put_event(b, role, level, event);
	for (size_t i = 0; i < n && !b->failed; i++)
		json ? put_json(b, &kvs[i]) : put_logfmt(b, &kvs[i]);
	if (b->failed) {		/* the bound, or memory: say the event at least */
		buf_reset(b);
		put_head(b, role, level, event, NULL, 0);
		put_event(b, role, level, event);
		buf_str(b, json ? ",\"cut\":\"yes\"" : " cut=yes");
	}
	if (json)
		buf_char(b, '}');
	if (logger.target != LOG_SYSLOG)	/* there a datagram is a line */
		buf_char(b, '\n');
	log_out_put(buf_get(b));
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
	if (level < logger.least)
		return;
	(void)log_flush();
	put_line(role, level, event, kvs, n);
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

static void
add_head(struct line *l, const char *event)
{
	if (logger.target == LOG_SYSLOG) {
		add_text(l, SPAN_LIT("<"));
		add_number(l, (uint64_t)(FACILITY_MAIL * 8 +
		    severity(LOG_ERROR)));
		add_words(l, ">sealane/", logger.role, "[");
		add_number(l, (uint64_t)getpid());
		add_text(l, SPAN_LIT("]: "));
	} else if (logger.target == LOG_JOURNAL) {
		add_text(l, SPAN_LIT("PRIORITY="));
		add_number(l, (uint64_t)severity(LOG_ERROR));
		add_words(l, "\nSYSLOG_IDENTIFIER=sealane/", logger.role,
		    "\nSEALANE_ROLE=");
		add_words(l, logger.role, "\nSEALANE_EVENT=", event);
		add_text(l, SPAN_LIT("\nMESSAGE="));
	}
}

void
log_signal_event(const char *event, const struct kv *kvs, size_t n)
{
	bool json = logger.format == LOG_JSON;
	char when[CLOCK_RFC3339_SIZE];
	struct line l = { .n = 0 };

	clock_rfc3339(clock_wall_ms(), 1, when);
	add_head(&l, event);
	if (json) {
		add_words(&l, "{\"time\":\"", when, "\",\"role\":\"");
		add_words(&l, logger.role, "\",\"event\":\"", event);
		add_text(&l, SPAN_LIT("\",\"level\":\"error\""));
	} else {
		if (logger.target == LOG_STDERR)
			add_words(&l, when, " ", logger.role);
		add_words(&l, logger.target == LOG_STDERR ? " " : "", event,
		    " level=error");
	}
	for (size_t i = 0; i < n; i++)
		add_kv(&l, &kvs[i], json);
	add_text(&l, span_str(json ? "}\n" : "\n"));
	log_out_now(span_of(l.text, l.n));
}
