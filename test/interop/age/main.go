// Opens a keyring with filippo.io/age: the passphrase is in KEYRING_PASSPHRASE, the plaintext goes to standard output.
package main

import (
	"bufio"
	"io"
	"log"
	"os"

	"filippo.io/age"
	"filippo.io/age/armor"
)

func main() {
	identity, err := age.NewScryptIdentity(os.Getenv("KEYRING_PASSPHRASE"))
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	buffered := bufio.NewReader(file)
	var source io.Reader = buffered
	if start, _ := buffered.Peek(len(armor.Header)); string(start) == armor.Header {
		source = armor.NewReader(buffered)
	}
	plaintext, err := age.Decrypt(source, identity)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(os.Stdout, plaintext); err != nil {
		log.Fatal(err)
	}
}
