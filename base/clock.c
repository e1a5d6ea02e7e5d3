/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/clock.c - see clock.h. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t
read_ms(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) == -1)
		return 0;
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

uint64_t
clock_steady_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

static unsigned
month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
	    30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month] + (month == 1 && leap ? 1u : 0u);
}

static char *
put_digits(char *at, uint64_t v, int digits, char after)
{
	for (int i = digits; i-- > 0; v /= 10)
		at[i] = (char)('0' + v % 10);
	at[digits] = after;
	return at + digits + 1;
}

/* By hand, since gmtime_r takes a lock and this runs in signal handlers. */
void
clock_rfc3339(uint64_t wall_ms, int with_ms, char out[CLOCK_RFC3339_SIZE])
{
	uint64_t s = wall_ms / 1000, days = s / 86400;
	unsigned year = 1970, month = 0;

	while (year < 9999 && days >= 337u + month_days(year, 1))
		days -= 337u + month_days(year++, 1);
	while (month < 11 && days >= month_days(year, month))
		days -= month_days(year, month++);
	out = put_digits(out, year, 4, '-');
	out = put_digits(out, month + 1, 2, '-');
	out = put_digits(out, days + 1, 2, 'T');
	out = put_digits(out, s / 3600 % 24, 2, ':');
	out = put_digits(out, s / 60 % 60, 2, ':');
	out = put_digits(out, s % 60, 2, with_ms ? '.' : 'Z');
	if (with_ms)
		out = put_digits(out, wall_ms % 1000, 3, 'Z');
	*out = '\0';
}

void
clock_rfc5322(uint64_t wall_ms, char out[CLOCK_RFC5322_SIZE])
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	    "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;
	long off;

	localtime_r(&t, &tm);
	off = tm.tm_gmtoff / 60;
	/* Names by hand: strftime's would follow the locale. */
	snprintf(out, CLOCK_RFC5322_SIZE, "%s, %d %s %d %02d:%02d:%02d %c%02d%02d",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    off < 0 ? '-' : '+', (int)(labs(off) / 60), (int)(labs(off) % 60));
}

static uint64_t
parse_age(const char *s, uint64_t now)
{
	static const struct { const char *unit; uint64_t ms; } units[] = {
		{ "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 }, { "w", 604800000 },
	};
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (end == s || *s < '0' || *s > '9' || v > 100000)
		return 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(end, units[i].unit) == 0) {
			uint64_t age = v * units[i].ms;

			return age < now ? now - age : 1;
		}
	return 0;
}

static uint64_t
parse_date(const char *s)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M",
	    "%Y-%m-%dT%H:%M:%S" };

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm tm = { .tm_mday = 1 };
		const char *end = strptime(s, forms[i], &tm);
		time_t t;

		if (end == NULL || (*end != '\0' && strcmp(end, "Z") != 0))
			continue;
		t = timegm(&tm);
		return t < 0 ? 0 : (uint64_t)t * 1000;
	}
	return 0;
}

uint64_t
clock_parse(const char *s, uint64_t now_wall_ms)
{
	uint64_t date = parse_date(s);

	return date != 0 ? date : parse_age(s, now_wall_ms);
}

uint64_t
clock_parse_ahead(const char *s, uint64_t now_wall_ms)
{
	uint64_t date = parse_date(s), past = parse_age(s, now_wall_ms);

	if (date != 0 || past == 0)
		return date;
	return now_wall_ms + (now_wall_ms - past);
}

uint64_t
clock_from_calendar(int year, int month, int day, int hour, int min, int sec,
    int utc)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1,
	    .tm_mday = day, .tm_hour = hour, .tm_min = min, .tm_sec = sec,
	    .tm_isdst = -1 };
	time_t t;

	/* 60: a leap second. */
	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > (int)month_days((unsigned)year, (unsigned)month - 1) ||
	    hour < 0 || hour > 23 || min < 0 || min > 59 || sec < 0 || sec > 60)
		return 0;
	t = utc ? timegm(&tm) : mktime(&tm);
	return t <= 0 ? 0 : (uint64_t)t * 1000;
}
