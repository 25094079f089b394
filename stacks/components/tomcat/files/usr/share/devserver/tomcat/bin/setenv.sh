# Read by catalina.sh. Java 8 lies in a directory that carries the architecture's name.
for jre in /usr/lib/jvm/java-8-openjdk-*/jre; do JRE_HOME=$jre; done
# compiled once, quickly: what a server of a few people gains by the second compiler it loses at every start, where that takes
# nearly half of all processor time, and in memory
JAVA_OPTS="-Djava.awt.headless=true -Djava.net.preferIPv4Stack=true -Djava.security.egd=file:/dev/./urandom -Dfile.encoding=UTF-8 -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError"
