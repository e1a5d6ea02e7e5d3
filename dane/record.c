/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/record.c - see record.h. */
#include "dane/record.h"

#include <stdio.h>
#include <string.h>

#include "tls/fingerprint.h"

bool
dane_record_text(const char *host, uint16_t port, const char *digest,
    char out[DANE_RECORD_SIZE])
{
	size_t n = strlen(host);
	int len;

	if (n > 0 && host[n - 1] == '.')
		n--;
	len = snprintf(out, DANE_RECORD_SIZE, "_%u._tcp.%.*s. IN TLSA 3 1 1 "
	    "%s", port, (int)n, host, digest);
	if (len > 0 && len < DANE_RECORD_SIZE)
		return true;
	out[0] = '\0';
	return false;
}

bool
dane_record_of_key(const char *host, uint16_t port, struct span spki,
    char out[DANE_RECORD_SIZE])
{
	char hex[TLS_HEX_SIZE];

	out[0] = '\0';
	return tls_sha256_hex(spki, hex) &&
	    dane_record_text(host, port, hex, out);
}
