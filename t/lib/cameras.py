#!/usr/bin/python3

# Copyright (C) the ngx_http_webrtc_module authors
#
# Cameras, by GStreamer's RTSP server:
#
#     cameras.py PORT HEVC.mkv
#
#     rtsp://127.0.0.1:PORT/mjpeg    colour bars and a tone of 440 Hz, as Motion
#                                    JPEG and A-law
#     rtsp://127.0.0.1:PORT/hevc     the file's video
#
# Needs plugins "base" and "good" only.  "ready" when it listens.

import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtspServer', '1.0')

from gi.repository import GLib, Gst, GstRtspServer

port, hevc = sys.argv[1:]

Gst.init(None)

server = GstRtspServer.RTSPServer()
server.set_address('127.0.0.1')
server.set_service(port)

for path, launch in (
    ('/mjpeg',
     'videotestsrc is-live=true pattern=smpte75 '
     '! video/x-raw,width=320,height=176,framerate=10/1,format=I420 '
     '! jpegenc ! rtpjpegpay name=pay0 pt=26 '
     'audiotestsrc is-live=true freq=440 volume=0.3 '
     '! audio/x-raw,rate=8000,channels=1 ! alawenc '
     '! rtppcmapay name=pay1 pt=8'),
    ('/hevc',
     f'filesrc location="{hevc}" ! matroskademux ! queue '
     '! rtph265pay name=pay0 pt=96 config-interval=-1'),
):
    camera = GstRtspServer.RTSPMediaFactory()
    camera.set_launch(f'( {launch} )')
    camera.set_shared(True)
    server.get_mount_points().add_factory(path, camera)

if not server.attach(None):
    sys.exit('cannot listen')

print('ready', flush=True)
GLib.MainLoop().run()
