/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_time.c - see log_time.h. */
#include "report/log_time.h"

#include <string.h>

#include "base/clock.h"

#define DAY_MS		86400000u
#define SYSLOG_HOUR	10	/* "Nov 26 06:" */
#define ISO_HOUR	14	/* "2026-11-26T06:" */

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

/* n digits at p; -1 when one is none. */
static int
number(const char *p, int n)
{
	int v = 0;

	for (; n > 0; n--, p++) {
		if (digit(*p) < 0)
			return -1;
		v = v * 10 + digit(*p);
	}
	return v;
}

static int
month_of(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int m;

	for (m = 0; m < 12; m++)
		if (memcmp(names + 3 * m, p, 3) == 0)
			return m + 1;
	return -1;
}

static uint64_t
hour_without_year(const char *p, uint64_t latest)
{
	char year[CLOCK_RFC3339_SIZE];
	int month = month_of(p), hour = number(p + 7, 2), y;
	int day = number(p[4] == ' ' ? p + 5 : p + 4, p[4] == ' ' ? 1 : 2);
	uint64_t ms;

	if (p[3] != ' ' || p[6] != ' ' || month < 0 || day < 0 || hour < 0)
		return 0;
	/* Two tries and more: 29 February is not of every year. */
	clock_rfc3339(latest + DAY_MS, 0, year);
	for (y = number(year, 4); y > number(year, 4) - 9; y--) {
		ms = clock_from_calendar(y, month, day, hour, 0, 0, 0);
		if (ms != 0 && ms <= latest + DAY_MS)
			return ms;
	}
	return 0;
}

static uint64_t
hour_of_date(const char *p, bool utc)
{
	int year = number(p, 4), month = number(p + 5, 2);
	int day = number(p + 8, 2), hour = number(p + 11, 2);

	if (p[4] != '-' || p[7] != '-' || hour < 0)
		return 0;
	return clock_from_calendar(year, month, day, hour, 0, 0, utc);
}

/* The hour that the text begins with, which has `n` bytes.  `kind` keeps hours
 * apart that look alike and are not: with a zone of their own, and local. */
static bool
take_hour(struct log_clock *c, const char *p, size_t n, bool utc, uint64_t *ms)
{
	size_t kind = n + (utc ? LOG_HOUR_MAX : 0);

	if (c->hour_n != kind || memcmp(c->hour, p, n) != 0) {
		*ms = n == SYSLOG_HOUR ? hour_without_year(p, c->latest) :
		    hour_of_date(p, utc);
		if (*ms == 0 || p[n - 1] != ':')
			return false;
		memcpy(c->hour, p, n);
		c->hour_n = kind;
		c->hour_ms = *ms;
	}
	*ms = c->hour_ms;
	return true;
}

/* "46:46" at p. */
static bool
add_minutes(const char *p, uint64_t *ms)
{
	int min = number(p, 2), sec = number(p + 3, 2);

	if (min < 0 || min > 59 || sec < 0 || sec > 60 || p[2] != ':')
		return false;
	*ms += (uint64_t)(min * 60 + sec) * 1000;
	return true;
}

/* ".123456", of which three digits count. */
static void
take_fraction(struct span *s, uint64_t *ms)
{
	unsigned scale = 100;
	size_t i;

	if (s->n == 0 || (s->p[0] != '.' && s->p[0] != ','))
		return;
	for (i = 1; i < s->n && digit(s->p[i]) >= 0; i++, scale /= 10)
		*ms += (uint64_t)digit(s->p[i]) * scale;
	*s = span_skip(*s, i);
}

/* "Z", "+01:00" or "+0100". */
static bool
take_zone(struct span *s, uint64_t *ms)
{
	int hours, mins;
	size_t colon;
	uint64_t off;

	if (s->n > 0 && s->p[0] == 'Z') {
		*s = span_skip(*s, 1);
		return true;
	}
	if (s->n < 5 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	colon = s->p[3] == ':' ? 1 : 0;
	if (s->n < 5 + colon)
		return false;
	hours = number(s->p + 1, 2);
	mins = number(s->p + 3 + colon, 2);
	if (hours < 0 || hours > 14 || mins < 0 || mins > 59)
		return false;
	off = (uint64_t)(hours * 60 + mins) * 60000;
	if (s->p[0] == '-')
		*ms += off;
	else
		*ms = *ms > off ? *ms - off : 0;
	*s = span_skip(*s, 5 + colon);
	return true;
}

static bool
take_space(struct span *s)
{
	if (s->n == 0 || s->p[0] != ' ')
		return false;
	*s = span_skip(*s, 1);
	return true;
}

static enum log_time_form
take_iso(struct log_clock *c, struct span *text, uint64_t *ms)
{
	struct span s = *text;

	if (!take_hour(c, s.p, ISO_HOUR, true, ms) ||
	    !add_minutes(s.p + ISO_HOUR, ms))
		return LOG_TIME_NONE;
	s = span_skip(s, ISO_HOUR + 5);
	take_fraction(&s, ms);
	if (!take_zone(&s, ms) || !take_space(&s))
		return LOG_TIME_NONE;
	*text = s;
	return LOG_TIME_ISO;
}

/* A zone may follow, and then it is not this machine's. */
static enum log_time_form
take_exim(struct log_clock *c, struct span *text, uint64_t *ms)
{
	struct span s = *text;
	const char *hour = s.p;
	uint64_t utc;

	if (!take_hour(c, s.p, ISO_HOUR, false, ms) ||
	    !add_minutes(s.p + ISO_HOUR, ms))
		return LOG_TIME_NONE;
	s = span_skip(s, ISO_HOUR + 5);
	take_fraction(&s, ms);
	if (!take_space(&s))
		return LOG_TIME_NONE;
	*text = s;
	if (s.n == 0 || (s.p[0] != '+' && s.p[0] != '-'))
		return LOG_TIME_EXIM;
	utc = hour_of_date(hour, true) + (*ms - c->hour_ms);
	if (take_zone(&s, &utc) && take_space(&s)) {
		*ms = utc;
		*text = s;
	}
	return LOG_TIME_EXIM;
}

enum log_time_form
log_time_take(struct log_clock *c, struct span *text, uint64_t *ms)
{
	struct span s = *text;

	if (s.n < SYSLOG_HOUR + 6)
		return LOG_TIME_NONE;
	if (digit(s.p[0]) < 0) {
		if (!take_hour(c, s.p, SYSLOG_HOUR, false, ms) ||
		    !add_minutes(s.p + SYSLOG_HOUR, ms) ||
		    s.p[SYSLOG_HOUR + 5] != ' ')
			return LOG_TIME_NONE;
		*text = span_skip(s, SYSLOG_HOUR + 6);
		return LOG_TIME_SYSLOG;
	}
	if (s.n < ISO_HOUR + 6)
		return LOG_TIME_NONE;
	return s.p[10] == 'T' ? take_iso(c, text, ms) :
	    s.p[10] == ' ' ? take_exim(c, text, ms) : LOG_TIME_NONE;
}
