"""E-mail: mails that come in by SMTP, LMTP and IMAP become tickets, answers go out by SMTP."""
