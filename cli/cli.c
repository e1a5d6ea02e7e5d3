/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/cli.c - what commands share: complaints, JSON, sizes, ages. */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define DEFAULT_CONF	"/etc/sealane/sealane.conf"

static const char *conf_path = DEFAULT_CONF;

const char *
cli_conf_path(void)
{
	return conf_path;
}

void
cli_set_conf_path(const char *path)
{
	conf_path = path;
}

struct conf *
cli_conf_load(void)
{
	struct conf_notes notes = { 0 };
	struct conf *conf = conf_load(conf_path, &notes, NULL);

	if (conf == NULL)
		conf_notes_print(&notes, stderr);
	conf_notes_free(&notes);
	return conf;
}

void
cli_allow_no_conf(void)
{
	if (strcmp(conf_path, DEFAULT_CONF) == 0 &&
	    access(conf_path, F_OK) == -1 && errno == ENOENT)
		conf_path = NULL;
}

static void
complain(const char *fmt, va_list ap)
{
	fputs("sealane: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int
cli_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	return CLI_USAGE;
}

int
cli_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	return CLI_BAD;
}

int
cli_json(json_t *doc)
{
	int rc;

	if (doc == NULL)
		return cli_fail("no memory for the JSON document");
	rc = json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(doc);
	if (rc == -1 || putchar('\n') == EOF || fflush(stdout) == EOF)
		return cli_fail("cannot write to standard output");
	return CLI_OK;
}

json_t *
cli_json_text(const char *text)
{
	json_t *j;
	char ascii[1024];
	size_t n;

	if (text == NULL)
		return json_null();
	if ((j = json_string(text)) != NULL)
		return j;
	/* Not UTF-8: what a peer sent, of no use beyond its ASCII. */
	for (n = 0; n + 1 < sizeof ascii && text[n] != '\0'; n++)
		ascii[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
	ascii[n] = '\0';
	return json_string(ascii);
}

const char *
cli_string_in(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "-" : s;
}

json_t *
cli_json_time(uint64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	if (wall_ms == 0)
		return json_null();
	clock_rfc3339(wall_ms, false, text);
	return json_string(text);
}

const char *
cli_size(uint64_t bytes, char out[CLI_TEXT])
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes;
	size_t u = 0;

	if (bytes < 1024) {
		snprintf(out, CLI_TEXT, "%" PRIu64, bytes);
		return out;
	}
	/* 1023.95 would print as 1024.0 of the smaller unit. */
	for (v /= 1024; v >= 1023.95 && units[u + 1] != '\0'; v /= 1024)
		u++;
	snprintf(out, CLI_TEXT, "%.1f%c", v, units[u]);
	return out;
}

const char *
cli_age(uint64_t ms, char out[CLI_TEXT])
{
	static const struct {
		uint64_t	seconds;
		char		name;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	uint64_t s = ms / 1000;
	size_t u = 0, at;

	while (u < 3 && s < units[u].seconds)
		u++;
	at = (size_t)snprintf(out, CLI_TEXT, "%" PRIu64 "%c",
	    s / units[u].seconds, units[u].name);
	if (u < 3 && s % units[u].seconds >= units[u + 1].seconds)
		snprintf(out + at, CLI_TEXT - at, "%" PRIu64 "%c",
		    s % units[u].seconds / units[u + 1].seconds,
		    units[u + 1].name);
	return out;
}
