# Usage: publish-image.py PROJECT_ROOT DOWNLOAD_DIR INCOMING < lines, an empty line, and contents
# Records an image, and takes in packs that travel along. INCOMING is a name that nobody else uses. The lines are
#   pack SHA256 SIZE NAME PATH MD5     a pack for DOWNLOAD_DIR/PATH; its content follows
#   manifest SHA256 SIZE NAME          of a pack that is new; follows
#   record SHA256 SIZE NAME...         what is known of the image, under each of these names; follows, gzip'd, and begins with a
#                                      line "pack PATH SIZE MD5" for each pack of the image (find-images.sh)
#   checked NAME                       a pack whose content was compared with its hash just now
# The contents follow in the order of the lines, with nothing between them. Nothing is in its place before all have the right
# hashes. Prints "done", or "different". The packs of an image are touched, so they stay for a day (remove-packs.sh), and must be
# there.
# One process, though other scripts here are for the shell: people wait for this, and each process costs as much as all the rest.
import hashlib, os, signal, sys, time, zlib

PIECE = 1 << 18
STORE = ".boinc2docker"
LEFT_AFTER = 2 * 86400
PARTS = "parts"


class Failure(Exception):
	pass


def take(stream, size, path, durable):
	"""Writes so many bytes to a new file; returns their SHA-256."""
	digest = hashlib.sha256()
	with open(path, "wb") as file:
		while size > 0:
			piece = stream.read(min(PIECE, size))
			if not piece:
				raise Failure("the image did not arrive as a whole")
			digest.update(piece)
			file.write(piece)
			size -= len(piece)
		if durable:
			file.flush()
			os.fsync(file.fileno())
	return digest.hexdigest()


def made_folder(folder):
	# Above a folder of the download hierarchy there is no other that may be missing.
	if not os.path.isdir(folder):
		try:
			os.mkdir(folder)
		except FileExistsError:
			pass


def newer(one, other):
	"""As the shell's -nt."""
	if not os.path.exists(one):
		return False
	return not os.path.exists(other) or os.stat(one).st_mtime_ns > os.stat(other).st_mtime_ns


def set_time(path, like=None):
	"""As touch -c."""
	try:
		if like is None:
			os.utime(path)
		else:
			facts = os.stat(like)
			os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
	except OSError:
		pass


def remove(path):
	if os.path.islink(path) or not os.path.isdir(path):
		try:
			os.remove(path)
		except FileNotFoundError:
			pass
		return
	for name in os.listdir(path):
		remove(os.path.join(path, name))
	os.rmdir(path)


def put_pack(part, target, md5, size):
	os.replace(part, target)
	# As write-md5.sh does it: never older than the data.
	side = part + ".md5"
	with open(side, "w") as file:
		file.write("%s %s\n" % (md5, size))
	if newer(target, side):
		set_time(side, target)
	# Data without a side file may be removed as unused until it has one (remove-packs.sh).
	os.replace(side, target + ".md5")
	if not os.path.isfile(target):
		raise Failure(target + " was removed meanwhile; send the image again")


def packs_of(record):
	with open(record, "rb") as file:
		# 16 more than the window's 15 bits: with gzip's header.
		lines = zlib.decompress(file.read(), 31).splitlines()
	return [os.fsdecode(line.split()[1]) for line in lines if line.startswith(b"pack ")]


def publish(stream, download, incoming, temporary):
	lines = []
	for line in iter(stream.readline, b"\n"):
		if not line:
			raise Failure("the image did not arrive as a whole")
		lines.append(os.fsdecode(line).split())
	same = True
	moves = []
	for kind, *words in lines:
		if kind not in ("pack", "manifest", "record"):
			continue
		digest, size, name = words[0], int(words[1]), words[2]
		part = os.path.join(incoming, kind + " " + name)
		if kind == "pack":
			target = os.path.join(download, words[3])
			if os.path.isdir(target):
				raise Failure(target + " is a directory")
			folder, base = os.path.split(target)
			made_folder(folder)
			# What a new file inherits comes from its folder, so packs are written where they are to be.
			part = os.path.join(folder, ".b2d-%d-%s.part" % (os.getpid(), base))
			temporary += [part, part + ".md5"]
			# Whoever is killed here is tidied up after by the next ones.
			with open(os.path.join(incoming, PARTS), "a", errors="surrogateescape") as file:
				file.write(part + "\n")
		# To have it on the disk for certain costs little.
		same = take(stream, size, part, kind == "pack") == digest and same
		moves.append((kind, part, words))
	if not same or stream.read(1):
		return "different"

	for kind, part, words in moves:
		if kind == "pack":
			put_pack(part, os.path.join(download, words[3]), words[4], words[1])
	for kind, *words in lines:
		if kind == "checked":
			open(os.path.join(STORE, "checked", words[0]), "w").close()
	for kind, part, words in moves:
		if kind == "manifest":
			os.replace(part, os.path.join(STORE, "packs", words[2]))
	for kind, part, words in moves:
		if kind == "record":
			for path in packs_of(part):
				data = os.path.join(download, path)
				side = data + ".md5"
				set_time(side)
				if newer(data, side):
					# Data that claims to be from the future.
					set_time(side, data)
				if not os.path.isfile(side):
					raise Failure(data + " is not there any longer; send the image again")
			for name in words[3:]:
				with open(part, "rb") as record, open(part + " again", "wb") as copy:
					copy.write(record.read())
				os.replace(part + " again", os.path.join(STORE, "images", name))
			os.replace(part, os.path.join(STORE, "images", words[2]))
	return "done"


def remove_parts(file):
	"""Removes the packs in the making that a file names, and nothing else."""
	if os.path.isfile(file):
		with open(file, errors="surrogateescape") as names:
			for part in names.read().splitlines():
				base = os.path.basename(part)
				if base.startswith(".b2d-") and base.endswith(".part") and not os.path.isdir(part):
					remove(part)
					remove(part + ".md5")


def remove_leftovers():
	"""What was left by those that were cut off."""
	for name in os.listdir(STORE):
		path = os.path.join(STORE, name)
		if name.startswith("incoming-") or (name.startswith(".b2d-") and name.endswith(".part")):
			if os.lstat(path).st_mtime < time.time() - LEFT_AFTER:
				remove_parts(os.path.join(path, PARTS))
				remove(path)


def main(root, download, incoming):
	os.umask(0o022)
	for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
		signal.signal(number, lambda *_: sys.exit(1))
	temporary = []
	try:
		os.chdir(root)
		for folder in ("packs", "images", "checked"):
			os.makedirs(os.path.join(STORE, folder), exist_ok=True)
		own = os.path.join(STORE, incoming)
		os.mkdir(own)
		temporary.append(own)
		said = publish(sys.stdin.buffer, download, own, temporary)
		remove_leftovers()
		print(said)
	finally:
		for path in temporary:
			remove(path)


try:
	main(*sys.argv[1:])
except (OSError, Failure) as error:
	sys.exit(str(error))
